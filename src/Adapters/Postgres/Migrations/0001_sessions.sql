-- The session journal: one head per session, its records, its latest snapshot.
--
-- Row-level security is the second wall behind every query's own filter. A connection sees nothing until it names an
-- organization for its transaction (coordinator.organization), or is one of the host's own (coordinator.scope = 'system':
-- appends, alarms, sweeps). Every tenant table of every later migration uses the same policy, by the same function.

CREATE FUNCTION tenant_visible(org uuid) RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN current_setting('coordinator.scope', true) = 'system'
        OR org = nullif(current_setting('coordinator.organization', true), '')::uuid;

CREATE TABLE session_head (
    org uuid NOT NULL,
    session uuid NOT NULL,
    host uuid,                              -- who holds the lease; null: nobody
    epoch bigint NOT NULL,                  -- grows with every open and release: fences older leases
    version bigint NOT NULL DEFAULT 0,      -- records written; 0: opened to be created, and not there yet
    seq bigint NOT NULL DEFAULT 0,          -- public events written
    incarnation integer NOT NULL DEFAULT 1, -- changes when the database went back in time
    wake_at timestamptz,                    -- wake the session at the latest then; null: never
    hidden_until timestamptz,               -- an alarm was handed out: not again before then, unless wake_at moves
    projected bigint NOT NULL DEFAULT 0,    -- version up to which read models have taken it in
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (org, session)
) WITH (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.05);

CREATE INDEX session_head_due ON session_head (wake_at) WHERE wake_at IS NOT NULL;

-- The public view, UTF-8 JSON. Apart from the head, which every append rewrites: most appends leave the view as it is.
CREATE TABLE session_view (
    org uuid NOT NULL,
    session uuid NOT NULL,
    view bytea NOT NULL,
    PRIMARY KEY (org, session)
) WITH (fillfactor = 60);

-- No second index for sequence numbers: they never fall as versions rise and versions have no gaps, so a reader finds
-- its place by bisection over the primary key, and an append maintains one index only.
CREATE TABLE session_record (
    org uuid NOT NULL,
    session uuid NOT NULL,
    version bigint NOT NULL,
    epoch bigint NOT NULL,                  -- of the lease that wrote it: settles an append whose answer was lost
    first_seq bigint NOT NULL,              -- last_seq = first_seq - 1: a record without public events
    last_seq bigint NOT NULL,
    schema smallint NOT NULL,
    codec smallint NOT NULL,
    key_id integer NOT NULL DEFAULT 0,
    payload bytea NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (org, session, version),
    CHECK (last_seq >= first_seq - 1)
);

CREATE TABLE session_snapshot (
    org uuid NOT NULL,
    session uuid NOT NULL,
    version bigint NOT NULL,
    seq bigint NOT NULL,
    shape text NOT NULL,
    state bytea NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (org, session)
);

ALTER TABLE session_head ENABLE ROW LEVEL SECURITY;
ALTER TABLE session_head FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON session_head USING (tenant_visible(org));

ALTER TABLE session_view ENABLE ROW LEVEL SECURITY;
ALTER TABLE session_view FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON session_view USING (tenant_visible(org));

ALTER TABLE session_record ENABLE ROW LEVEL SECURITY;
ALTER TABLE session_record FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON session_record USING (tenant_visible(org));

ALTER TABLE session_snapshot ENABLE ROW LEVEL SECURITY;
ALTER TABLE session_snapshot FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON session_snapshot USING (tenant_visible(org));
