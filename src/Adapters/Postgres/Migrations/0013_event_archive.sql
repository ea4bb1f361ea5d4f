-- Events of sessions that slept for long stand in blobs of their organization's artifacts, and no longer in records. Readers follow
-- archives by their last number: the first above their place is the next one.
CREATE TABLE event_archive (
    org uuid NOT NULL,
    session uuid NOT NULL,
    first_seq bigint NOT NULL,
    last_seq bigint NOT NULL,
    format smallint NOT NULL,
    sha256 text NOT NULL,                   -- the blob's name
    size bigint NOT NULL,
    raw_size bigint NOT NULL,               -- of what is packed in it
    at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (org, session, last_seq),
    CHECK (first_seq > 0 AND last_seq >= first_seq)
);

ALTER TABLE event_archive ENABLE ROW LEVEL SECURITY;
ALTER TABLE event_archive FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON event_archive USING (tenant_visible(org));

-- The last event that stands in an archive; below the floor they are gone from there too. 0: none ever did.
ALTER TABLE session_head ADD COLUMN archived bigint NOT NULL DEFAULT 0;
