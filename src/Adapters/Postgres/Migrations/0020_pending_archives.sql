-- Blobs that are about to be stored as archives, so that none is left that nothing names when who stores it ends before event_archive names it. A row
-- goes in the transaction that writes the one in event_archive, or once its blob is gone. What was given up becomes no archive any more.
-- A release before this one archives without a row here, and minds none.
CREATE TABLE event_archive_pending (
    org uuid NOT NULL,
    session uuid NOT NULL,
    sha256 text NOT NULL,                   -- the blob's name
    given_up boolean NOT NULL DEFAULT false,
    at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (org, session, sha256)
);

ALTER TABLE event_archive_pending ENABLE ROW LEVEL SECURITY;
ALTER TABLE event_archive_pending FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON event_archive_pending USING (tenant_visible(org));
