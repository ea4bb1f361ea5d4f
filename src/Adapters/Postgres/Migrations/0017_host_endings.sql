-- When the connections of this host's process were last ended, which are the process's and not the registration's: a process that
-- comes back is not to lose them once for each session that it had left.
ALTER TABLE session_host ADD COLUMN connections_ended_at timestamptz;
