-- The key that a key was made with: who revokes a key revokes what was made with it. Null: a person made it, or a release that did not
-- write it down. Only an insert that found its parent in the same organization, and live, writes it, and no key is ever removed alone.
ALTER TABLE api_key ADD COLUMN parent uuid;

CREATE INDEX api_key_children ON api_key (parent) WHERE parent IS NOT NULL;
