-- The sync plane: topics of documents with gap-free watermarks.
--
-- A topic's row is its lock: whoever publishes holds it from allocating watermarks to the commit, so that they become
-- visible in order and without a gap. It stays when everything was purged: floor and head then say that a reader who
-- stood below has missed something.

CREATE TABLE feed_topic (
    org uuid NOT NULL,
    topic text NOT NULL COLLATE "C",
    head bigint NOT NULL DEFAULT 0,         -- the last watermark given
    floor bigint NOT NULL DEFAULT 0,        -- the last watermark purged
    PRIMARY KEY (org, topic),
    CHECK (floor >= 0 AND floor <= head)
) WITH (fillfactor = 70);

CREATE TABLE feed_entry (
    org uuid NOT NULL,
    topic text NOT NULL COLLATE "C",
    watermark bigint NOT NULL,
    doc_key text NOT NULL,
    doc_version bigint NOT NULL,
    payload bytea,                          -- null: the thing is gone
    payload_hash bytea NOT NULL CHECK (octet_length(payload_hash) = 32),
    at timestamptz NOT NULL,                -- by this server's clock, under the topic's lock: what retention goes by
    PRIMARY KEY (org, topic, watermark)
);

CREATE INDEX feed_entry_age ON feed_entry (at);

-- The newest version a topic was told of each thing. Outlives the entries, so that what was purged is not told again.
CREATE TABLE feed_document (
    org uuid NOT NULL,
    topic text NOT NULL COLLATE "C",
    doc_key text NOT NULL COLLATE "C",
    doc_version bigint NOT NULL,
    PRIMARY KEY (org, topic, doc_key)
) WITH (fillfactor = 70);

ALTER TABLE feed_topic ENABLE ROW LEVEL SECURITY;
ALTER TABLE feed_topic FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON feed_topic USING (tenant_visible(org));

ALTER TABLE feed_entry ENABLE ROW LEVEL SECURITY;
ALTER TABLE feed_entry FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON feed_entry USING (tenant_visible(org));

ALTER TABLE feed_document ENABLE ROW LEVEL SECURITY;
ALTER TABLE feed_document FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON feed_document USING (tenant_visible(org));
