-- Whose a request without an answer is, and until when by this server's clock: a host holds it again and again while the request runs, so
-- that one whose host died is free within seconds. Null: of a release that did not hold, for five minutes from claimed_at.
ALTER TABLE idempotent_request ADD COLUMN claim uuid, ADD COLUMN held_until timestamptz;
