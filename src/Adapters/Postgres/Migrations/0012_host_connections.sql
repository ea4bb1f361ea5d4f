-- Hosts work under a role that owns nothing (see Roles/grants.sql) and may neither see nor end a connection but their own. What they
-- have to know and to end of the connections of the same login and database is exactly this, as the owner of the schema.

-- When the server process of this connection began: its number is used again.
CREATE FUNCTION host_connection_began() RETURNS timestamptz
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    RETURN (SELECT backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid());

-- Ends one server process; null: it is gone, false: it is still there after so many milliseconds.
CREATE FUNCTION host_connection_end(process integer, began timestamptz, patience bigint) RETURNS boolean
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    RETURN (SELECT pg_terminate_backend(pid, patience) FROM pg_stat_activity
        WHERE pid = process AND backend_start = began AND datname = current_database() AND usename = session_user);

-- Ends all that a host has named so (session_host.connections); false: one is still there after so many milliseconds.
CREATE FUNCTION host_connections_end(connections text, patience bigint) RETURNS boolean
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    RETURN (SELECT coalesce(bool_and(pg_terminate_backend(pid, patience)), true) FROM pg_stat_activity
        WHERE application_name = connections AND datname = current_database() AND usename = session_user);

REVOKE ALL ON FUNCTION host_connection_began(), host_connection_end(integer, timestamptz, bigint), host_connections_end(text, bigint) FROM PUBLIC;
