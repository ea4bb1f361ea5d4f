-- Public events of a session up to its floor are gone: its records keep the facts, which the session is folded from.
ALTER TABLE session_head ADD COLUMN floor bigint NOT NULL DEFAULT 0;
