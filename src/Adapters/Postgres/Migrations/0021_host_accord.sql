-- What a host's peers have to agree with to believe it: how far its clock is ahead of this server's, as at its last beat, and what is the same
-- at two hosts with the same first master key, and nothing by which it is found. Null for hosts of before.
ALTER TABLE session_host ADD COLUMN clock_ahead interval, ADD COLUMN key_print text;
