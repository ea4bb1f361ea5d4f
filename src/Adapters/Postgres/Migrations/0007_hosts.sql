-- The hosts of this database. A host is alive while its row is not dead, its lock is held (a session-level advisory lock
-- on (host_lock_class(), lock), freed by the server with the connection) and its beat is younger than its time to live.
-- Rows of hosts that are long dead are removed by whoever registers: an owner without a row is dead too.

CREATE FUNCTION host_lock_class() RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN 1668249714;

CREATE TABLE session_host (
    id uuid PRIMARY KEY,
    lock integer GENERATED ALWAYS AS IDENTITY UNIQUE,
    address text NOT NULL,                  -- where peers reach it
    connections text NOT NULL,              -- the application_name of everything its process writes through
    time_to_live interval NOT NULL,
    beat timestamptz NOT NULL DEFAULT now(),
    dead boolean NOT NULL DEFAULT false     -- left, or found dead by a peer; for ever
) WITH (fillfactor = 50);

CREATE FUNCTION host_alive(host session_host) RETURNS boolean
    LANGUAGE sql STABLE
    RETURN NOT host.dead AND host.beat > now() - host.time_to_live AND EXISTS (
        SELECT FROM pg_locks
        WHERE locktype = 'advisory' AND granted AND objsubid = 2
          AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
          AND classid = host_lock_class()::oid AND objid = host.lock::oid);

-- Of no tenant: for the hosts themselves alone.
ALTER TABLE session_host ENABLE ROW LEVEL SECURITY;
ALTER TABLE session_host FORCE ROW LEVEL SECURITY;
CREATE POLICY host ON session_host USING (current_setting('coordinator.scope', true) = 'system');
