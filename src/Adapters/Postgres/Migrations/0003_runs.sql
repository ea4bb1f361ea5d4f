-- The history of finished runs: one row per message that was dispatched and has ended, chained per session.
--
-- position is the place in the chain, in the order the runs came. Its uniqueness is what keeps two writers from both
-- following the same run: the chain cannot fork.

CREATE TABLE run (
    org uuid NOT NULL,
    id uuid NOT NULL,
    session uuid NOT NULL,
    position integer NOT NULL CHECK (position > 0),
    message uuid NOT NULL,
    ordinal integer NOT NULL,
    requested_by_kind text NOT NULL CHECK (requested_by_kind IN ('user', 'api_key', 'system')),
    requested_by_id text NOT NULL,
    requested_by_name text NOT NULL,
    model text NOT NULL,
    agent text NOT NULL,
    sandbox uuid NOT NULL,
    generation integer NOT NULL,
    sandbox_provider text NOT NULL,
    outcome text NOT NULL,
    failure_code text,
    usage_model text NOT NULL,
    input_tokens bigint NOT NULL,
    output_tokens bigint NOT NULL,
    reasoning_tokens bigint NOT NULL,
    cache_read_tokens bigint NOT NULL,
    cache_write_tokens bigint NOT NULL,
    cost_usd numeric NOT NULL,
    queued_at timestamptz NOT NULL,
    started_at timestamptz NOT NULL,
    ended_at timestamptz NOT NULL,
    first_seq bigint NOT NULL,
    last_seq bigint NOT NULL,
    events_digest text NOT NULL,
    previous_hash text NOT NULL,
    hash text NOT NULL,
    PRIMARY KEY (org, id),
    UNIQUE (org, session, position),
    UNIQUE (org, session, ordinal)
);

CREATE INDEX run_ended ON run (org, ended_at, ordinal, id);
CREATE INDEX run_session_ended ON run (org, session, ended_at, ordinal, id);

ALTER TABLE run ENABLE ROW LEVEL SECURITY;
ALTER TABLE run FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON run USING (tenant_visible(org));
