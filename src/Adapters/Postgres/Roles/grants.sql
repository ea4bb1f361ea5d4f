-- Who may do what with which table, brought about at every start and by no migration: the names of the roles are those of one database,
-- which a copy or a restored one does not have. Changes nothing, and locks nothing, where it is so already.
--
-- Every table has a row here. Its privileges are in alphabetical order; without one, the table is not there for that role.
DO $$
DECLARE
    tenants CONSTANT text := current_setting('coordinator.tenants_role');
    host CONSTANT text := current_setting('coordinator.host_role');
    given record;
BEGIN
    FOR given IN
        WITH may (name, of_tenants, of_host) AS (VALUES
            ('api_key',             'INSERT, SELECT',                 'SELECT, UPDATE'),
            ('event_archive',       'SELECT',                         'DELETE, INSERT, SELECT'),
            ('event_archive_pending', '',                             'DELETE, INSERT, SELECT, UPDATE'),
            ('database_timeline',   '',                               ''),
            ('feed_document',       'INSERT, SELECT, UPDATE',         ''),
            ('feed_entry',          'DELETE, INSERT, SELECT',         'DELETE, SELECT'),
            ('feed_topic',          'INSERT, SELECT, UPDATE',         'SELECT, UPDATE'),
            ('idempotent_request',  'DELETE, INSERT, SELECT, UPDATE', ''),
            ('membership',          'SELECT',                         'INSERT, SELECT'),
            ('organization',        'SELECT',                         'INSERT, SELECT'),
            ('person',              '',                               'INSERT, SELECT'),
            ('personal_credential', '',                               'DELETE, INSERT, SELECT, UPDATE'),
            ('run',                 'INSERT, SELECT',                 ''),
            ('schema_migration',    '',                               ''),
            ('secret',              'DELETE, INSERT, SELECT, UPDATE', ''),
            ('session_environment', 'SELECT',                         'INSERT, SELECT, UPDATE'),
            ('session_head',        'SELECT',                         'INSERT, SELECT, UPDATE'),
            ('session_host',        '',                               'DELETE, INSERT, SELECT, UPDATE'),
            ('session_record',      'SELECT',                         'INSERT, SELECT, UPDATE'),
            ('session_snapshot',    'SELECT',                         'INSERT, SELECT, UPDATE'),
            ('session_view',        'SELECT',                         'INSERT, SELECT, UPDATE'))
        SELECT class.oid AS id, class.relname AS name, role.oid AS role_id, role.rolname AS role, wanted.privileges, class.relacl AS acl
        FROM may JOIN pg_class AS class ON class.relname = may.name AND class.relnamespace = current_schema()::regnamespace
            CROSS JOIN LATERAL (VALUES (tenants, may.of_tenants), (host, may.of_host)) AS wanted (role, privileges)
            JOIN pg_roles AS role ON role.rolname = wanted.role
    LOOP
        CONTINUE WHEN given.privileges = (SELECT coalesce(string_agg(privilege_type, ', ' ORDER BY privilege_type), '') FROM aclexplode(given.acl) WHERE grantee = given.role_id);
        EXECUTE format('REVOKE ALL ON TABLE %I FROM %I', given.name, given.role);
        IF given.privileges <> '' THEN EXECUTE format('GRANT %s ON TABLE %I TO %I', given.privileges, given.name, given.role); END IF;
    END LOOP;

    -- A copy of a database has what the original gave to roles of its own.
    FOR given IN
        SELECT role.rolname AS role FROM pg_roles AS role
        WHERE role.rolname ~ '^coordinator_(tenants|host)_of_' AND role.rolname NOT IN (tenants, host)
          AND EXISTS (SELECT FROM pg_shdepend WHERE refclassid = 'pg_authid'::regclass AND refobjid = role.oid AND dbid = (SELECT oid FROM pg_database WHERE datname = current_database()))
    LOOP
        EXECUTE format('REVOKE ALL ON ALL TABLES IN SCHEMA %I FROM %I', current_schema(), given.role);
        EXECUTE format('REVOKE ALL ON ALL FUNCTIONS IN SCHEMA %I FROM %I', current_schema(), given.role);
        EXECUTE format('REVOKE ALL ON SCHEMA %I FROM %I', current_schema(), given.role);
    END LOOP;

    -- Tenants' work is walled in by a policy that restricts: no setting lets it see more than the one organization that its transaction names,
    -- looked up once for a statement. The host's own work is over all of them.
    FOR given IN
        SELECT class.relname AS name, wanted.policy, wanted.form, role.rolname AS role
        FROM pg_class AS class
            CROSS JOIN LATERAL (VALUES
                ('tenants', tenants, $form$AS RESTRICTIVE TO %I USING (org = (SELECT nullif(current_setting('coordinator.organization', true), '')::uuid))$form$),
                ('hosts', host, 'TO %I USING (true)')) AS wanted (policy, role, form)
            JOIN pg_roles AS role ON role.rolname = wanted.role
        WHERE class.relkind = 'r' AND class.relnamespace = current_schema()::regnamespace AND class.relrowsecurity
          AND EXISTS (SELECT FROM aclexplode(class.relacl) WHERE grantee = role.oid)
          AND NOT EXISTS (SELECT FROM pg_policy WHERE polrelid = class.oid AND polname = wanted.policy AND polroles = ARRAY[role.oid])
    LOOP
        EXECUTE format('DROP POLICY IF EXISTS %I ON %I', given.policy, given.name);
        EXECUTE format('CREATE POLICY %I ON %I %s', given.policy, given.name, format(given.form, given.role));
    END LOOP;

    FOR given IN
        SELECT function.oid::regprocedure::text AS name FROM pg_proc AS function
        WHERE function.pronamespace = current_schema()::regnamespace
          AND function.proname IN ('host_connection_began', 'host_connection_end', 'host_connections_end') AND NOT has_function_privilege(host, function.oid, 'EXECUTE')
    LOOP
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO %I', given.name, host);
    END LOOP;

    FOR given IN SELECT role FROM (VALUES (tenants), (host)) AS one (role) WHERE NOT has_schema_privilege(role, current_schema(), 'USAGE') LOOP
        EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', current_schema(), given.role);
    END LOOP;
END
$$
