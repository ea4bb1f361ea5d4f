-- The epoch that a session begins at. After a restore it is beyond every epoch of the future that was lost, for sessions too that are
-- made again: so one that is set already, by a restore of rows that are older than this step, stays.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = 'session_head'::regclass AND attname = 'epoch' AND atthasdef) THEN
        ALTER TABLE session_head ALTER COLUMN epoch SET DEFAULT 1;
    END IF;
END $$;
