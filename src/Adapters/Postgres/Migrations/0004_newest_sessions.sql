-- Lists show the newest session first. Ids that derive from an idempotency key hold no time, so the order is the head's.
-- The columns never change after the head is made, so an append whose wake-up stays as it was still touches no index.
CREATE INDEX session_head_newest ON session_head (org, created_at DESC, session DESC);
