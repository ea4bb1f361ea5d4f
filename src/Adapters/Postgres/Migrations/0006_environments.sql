-- What each session discovered of its repository's environment last, so that the next session of the same repository
-- says only what has changed. Written by the append that journals the discovery.
CREATE TABLE session_environment (
    org uuid NOT NULL,
    session uuid NOT NULL,
    repository bytea NOT NULL CHECK (octet_length(repository) = 32), -- SHA-256 of its URL, which may be too long for an index
    created_at timestamptz NOT NULL,                                 -- the session's, not the row's
    environment bytea NOT NULL,                                      -- UTF-8 JSON
    PRIMARY KEY (org, session)
);

CREATE INDEX session_environment_newest ON session_environment (org, repository, created_at DESC, session DESC);

ALTER TABLE session_environment ENABLE ROW LEVEL SECURITY;
ALTER TABLE session_environment FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON session_environment USING (tenant_visible(org));
