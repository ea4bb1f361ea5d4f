-- The version up to which what can be merged of a session's events is. Records behind it may be of codec 0, 1 or 2: each event by itself,
-- some covering others, and all of them covered by one of a later record.
ALTER TABLE session_head ADD COLUMN compacted bigint NOT NULL DEFAULT 0;
