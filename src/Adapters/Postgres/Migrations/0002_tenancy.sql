-- Who may do what: people, organizations, memberships, credentials, sealed secrets, and the memory of idempotent requests.
--
-- Of a credential only the SHA-256 is here, of a secret only what the vault sealed. People and their sign-ins span
-- organizations and so have no policy; everything else belongs to one organization and is invisible to the others.

CREATE TABLE person (
    id uuid NOT NULL,
    display_name text NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (id)
);

CREATE TABLE personal_credential (
    id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('browser_session', 'sign_in_link')),
    hash bytea NOT NULL CHECK (octet_length(hash) = 32),
    hint text NOT NULL,
    name text NOT NULL,
    person uuid NOT NULL REFERENCES person ON DELETE CASCADE,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    spent_at timestamptz,                   -- sign-in links only: set by the one caller who used it
    revoked_at timestamptz,
    PRIMARY KEY (id),
    UNIQUE (kind, hash)
);

CREATE INDEX personal_credential_expiry ON personal_credential (person, expires_at);

CREATE TABLE organization (
    org uuid NOT NULL,
    name text NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (org)
);

CREATE TABLE membership (
    org uuid NOT NULL REFERENCES organization ON DELETE CASCADE,
    person uuid NOT NULL REFERENCES person,
    role text NOT NULL CHECK (role IN ('viewer', 'member', 'admin', 'owner')),
    since timestamptz NOT NULL,
    PRIMARY KEY (org, person)
);

CREATE INDEX membership_person ON membership (person);

-- A key outlives its maker's membership as a row (runs name it), and is worth nothing then: it is resolved through it.
CREATE TABLE api_key (
    org uuid NOT NULL REFERENCES organization ON DELETE CASCADE,
    id uuid NOT NULL,
    hash bytea NOT NULL CHECK (octet_length(hash) = 32),
    hint text NOT NULL,
    name text NOT NULL,
    person uuid NOT NULL REFERENCES person,
    role text NOT NULL CHECK (role IN ('viewer', 'member', 'admin', 'owner')),
    created_at timestamptz NOT NULL,
    expires_at timestamptz,
    revoked_at timestamptz,
    PRIMARY KEY (id),
    UNIQUE (hash)
);

CREATE INDEX api_key_list ON api_key (org, created_at) WHERE revoked_at IS NULL;

CREATE TABLE secret (
    org uuid NOT NULL REFERENCES organization ON DELETE CASCADE,
    name text NOT NULL CHECK (name ~ '^[a-z0-9._/-]{1,120}$'),
    key_id text NOT NULL,                   -- the master key it is sealed under
    ciphertext bytea NOT NULL,
    hint text NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (org, name)
);

CREATE TABLE idempotent_request (
    org uuid NOT NULL REFERENCES organization ON DELETE CASCADE,
    scope text NOT NULL,                    -- whose key: principals do not share a namespace
    key text NOT NULL,
    body_hash bytea NOT NULL,
    claimed_at timestamptz NOT NULL,
    status integer,                         -- null until it is answered
    content_type text,
    body bytea,
    PRIMARY KEY (org, scope, key)
);

CREATE INDEX idempotent_request_age ON idempotent_request (org, claimed_at);

ALTER TABLE organization ENABLE ROW LEVEL SECURITY;
ALTER TABLE organization FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON organization USING (tenant_visible(org));

ALTER TABLE membership ENABLE ROW LEVEL SECURITY;
ALTER TABLE membership FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON membership USING (tenant_visible(org));

ALTER TABLE api_key ENABLE ROW LEVEL SECURITY;
ALTER TABLE api_key FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON api_key USING (tenant_visible(org));

ALTER TABLE secret ENABLE ROW LEVEL SECURITY;
ALTER TABLE secret FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON secret USING (tenant_visible(org));

ALTER TABLE idempotent_request ENABLE ROW LEVEL SECURITY;
ALTER TABLE idempotent_request FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON idempotent_request USING (tenant_visible(org));
