-- The wall of 0001, whose settings are looked up once for a statement here and not once more for each record that it reads: that was a third of what a
-- page of small records costs. No other table has so many rows read at once.
ALTER POLICY tenant ON session_record USING (
    (SELECT current_setting('coordinator.scope', true) = 'system')
    OR org = (SELECT nullif(current_setting('coordinator.organization', true), '')::uuid));
