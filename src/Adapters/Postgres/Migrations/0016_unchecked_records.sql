-- The server reads a check anew with each statement that writes, which every append pays for. The one statement that writes records
-- numbers their events from the head's, and takes no count below zero.
ALTER TABLE session_record DROP CONSTRAINT IF EXISTS session_record_check;
