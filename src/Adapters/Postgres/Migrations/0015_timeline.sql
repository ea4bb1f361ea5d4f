-- Of which server, and of which of its timelines, this database was last served, and whether another server had by then confirmed what
-- it acknowledged: a promotion and a restore to a point in time begin a timeline, and may have lost what hosts and clients were told.
CREATE TABLE database_timeline (
    is_one boolean PRIMARY KEY DEFAULT true CHECK (is_one),
    server bigint NOT NULL,                 -- the system identifier
    timeline bigint NOT NULL,
    is_confirmed boolean NOT NULL
);
