namespace Coordinator.Adapters.Postgres.Embedded;

/// <summary>
/// The server's settings, given on its command line so that a data folder of any age runs with today's. Durable first,
/// then small: an idle host and its server stay under 250 MB together.
/// </summary>
internal static class ServerSettings
{
    private static readonly (string Name, string Value)[] Settings =
    [
        ("listen_addresses", ""),
        ("port", "5432"),
        ("unix_socket_permissions", "0700"),
        ("fsync", "on"),
        ("synchronous_commit", "on"),
        ("full_page_writes", "on"),
        ("max_connections", "100"),
        ("shared_buffers", "64MB"),
        ("wal_buffers", "4MB"),
        ("min_wal_size", "80MB"),
        ("max_wal_size", "512MB"),
        ("work_mem", "4MB"),
        ("maintenance_work_mem", "32MB"),
        ("max_worker_processes", "2"),
        ("max_parallel_workers_per_gather", "0"),
        ("max_logical_replication_workers", "0"),
        ("autovacuum_max_workers", "2"),
        ("huge_pages", "off"),
        ("jit", "off"),
        ("timezone", "UTC"),
        ("log_timezone", "UTC"),
        ("log_line_prefix", "%m [%p] "),
        ("log_checkpoints", "off"),
        ("logging_collector", "off"),
        // The log must never repeat a row or a statement: they hold what users wrote.
        ("log_error_verbosity", "terse"),
        ("log_min_error_statement", "panic"),
        ("log_parameter_max_length", "0"),
        ("log_parameter_max_length_on_error", "0"),
    ];

    /// <summary>As <c>-c name=value</c> words, for a server of this major version.</summary>
    public static IEnumerable<string> Arguments(int major)
    {
        foreach (var (name, value) in Settings)
        {
            yield return "-c";
            yield return $"{name}={value}";
        }

        if (major < 18) yield break;
        yield return "-c";
        yield return "io_method=sync"; // the default's three idle workers are memory that a small host does not gain from
    }
}
