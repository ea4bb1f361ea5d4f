using Microsoft.Extensions.Options;
using Npgsql;

namespace Coordinator.Adapters.Postgres;

/// <summary>Section <c>Database</c>. Without a connection string the host runs its own private PostgreSQL.</summary>
public sealed class DatabaseOptions
{
    public const string Section = "Database";

    /// <summary>An Npgsql connection string of a database that exists; null or empty: the embedded server.</summary>
    public string? ConnectionString { get; set; }

    public EmbeddedOptions Embedded { get; set; } = new();

    public JournalOptions Journal { get; set; } = new();

    public FeedOptions Feed { get; set; } = new();

    public HostsOptions Hosts { get; set; } = new();

    /// <summary>Connections the host may hold for everything but the journal's writers, unless the connection string says. Default 20.</summary>
    public int MaxPoolSize { get; set; } = 20;

    /// <summary>How long the embedded server may say nothing before its start counts as failed; while it says that it recovers from a crash, it is waited for. Default 60 s.</summary>
    public TimeSpan StartTimeout { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>True when the host is to run PostgreSQL itself.</summary>
    public bool IsEmbedded => string.IsNullOrWhiteSpace(ConnectionString);
}

/// <summary>Section <c>Database:Embedded</c>: the private server.</summary>
public sealed class EmbeddedOptions
{
    /// <summary>The folder of the server's data, lock and log; empty, absent or one of ours. Default <c>./data/postgres</c>.</summary>
    public string DataDirectory { get; set; } = "./data/postgres";

    /// <summary>The folder that holds <c>postgres</c> and <c>initdb</c>; null: looked for.</summary>
    public string? BinariesDirectory { get; set; }

    /// <summary>The folder of the socket, at most 80 bytes long; null: a short one under /run or /tmp.</summary>
    public string? RuntimeDirectory { get; set; }

    /// <summary>The system user the server runs as when the host is root; made when missing. Default <c>coordinator-db</c>.</summary>
    public string User { get; set; } = "coordinator-db";
}

/// <summary>Section <c>Database:Journal</c>: the grouped append.</summary>
public sealed class JournalOptions
{
    /// <summary>Connections that write; each has one statement in flight. There is one more while somebody holds a row that is to be written. Default 2.</summary>
    public int Writers { get; set; } = 2;

    /// <summary>Bytes of all appends that wait or are in flight; beyond it an append waits. Default 64 MiB.</summary>
    public long PendingBytes { get; set; } = 64 * 1024 * 1024;

    /// <summary>The largest single append; a larger one is refused. Default 16 MiB.</summary>
    public int AppendBytes { get; set; } = 16 * 1024 * 1024;

    /// <summary>Appends in one statement. Default 1,000.</summary>
    public int GroupAppends { get; set; } = 1_000;

    /// <summary>Bytes in one statement, unless a single append is larger. Default 4 MiB.</summary>
    public int GroupBytes { get; set; } = 4 * 1024 * 1024;

    /// <summary>How long a statement may take. Default 15 s.</summary>
    public TimeSpan StatementTimeout { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>How long a statement waits for a row that somebody holds. Then the others are written, and the append to that row waits apart from them, for as long again as a statement may take; who opens its session waits as long, by turns with others that do. Default 0.5 s.</summary>
    public TimeSpan RowPatience { get; set; } = TimeSpan.FromMilliseconds(500);

    /// <summary>How long appends wait for a database that is away, and an unknown commit for an answer. Default 5 s.</summary>
    public TimeSpan OutagePatience { get; set; } = TimeSpan.FromSeconds(5);
}

/// <summary>Section <c>Database:Feed</c>: the topics of the sync plane.</summary>
public sealed class FeedOptions
{
    /// <summary>How long one who waits for a topic goes without looking, when no wake-up is heard. Default 5 s.</summary>
    public TimeSpan PollInterval { get; set; } = TimeSpan.FromSeconds(5);
}

/// <summary>Section <c>Database:Hosts</c>: how hosts of one database know of each other.</summary>
public sealed class HostsOptions
{
    /// <summary>
    /// Within this long another host goes on with what one had that hangs or is cut off: after half of it the host itself stops, after three quarters its peers
    /// take it for dead, and who waited has asked again a second and a half later (so in time from 6 s on). One whose process has died is known at once. Default 10 s.
    /// </summary>
    public TimeSpan TimeToLive { get; set; } = TimeSpan.FromSeconds(10);
}

/// <summary>Names everything that is wrong with the section at once.</summary>
internal sealed class DatabaseOptionsValidator : IValidateOptions<DatabaseOptions>
{
    public ValidateOptionsResult Validate(string? name, DatabaseOptions options)
    {
        var failures = Failures(options).ToList();
        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);
    }

    private static IEnumerable<string> Failures(DatabaseOptions options)
    {
        if (!options.IsEmbedded && !HasHost(options.ConnectionString!)) yield return "Database:ConnectionString is not a connection string with a Host (form: Host=…;Database=…;Username=…;Password=…).";
        if (options.IsEmbedded && string.IsNullOrWhiteSpace(options.Embedded.DataDirectory)) yield return "Database:Embedded:DataDirectory is empty.";
        if (options.IsEmbedded && string.IsNullOrWhiteSpace(options.Embedded.User)) yield return "Database:Embedded:User is empty.";
        if (options.IsEmbedded && options.Embedded.BinariesDirectory is { Length: > 0 } binaries && !File.Exists(Path.Combine(binaries, "postgres")))
            yield return $"Database:Embedded:BinariesDirectory names {binaries}, where there is no postgres; correct it, or leave it out to have one looked for.";
        if (options.MaxPoolSize is < 2 or > 1_000) yield return $"Database:MaxPoolSize is {options.MaxPoolSize}; it must be 2 to 1000.";
        if (options.StartTimeout <= TimeSpan.Zero) yield return $"Database:StartTimeout is {options.StartTimeout}; it must be positive.";
        if (options.Feed.PollInterval < TimeSpan.FromMilliseconds(100)) yield return $"Database:Feed:PollInterval is {options.Feed.PollInterval}; it must be at least 100 ms.";
        if (options.Hosts.TimeToLive < TimeSpan.FromSeconds(1)) yield return $"Database:Hosts:TimeToLive is {options.Hosts.TimeToLive}; it must be at least a second.";
        var journal = options.Journal;
        if (journal.Writers is < 1 or > 16) yield return $"Database:Journal:Writers is {journal.Writers}; it must be 1 to 16.";
        if (journal.AppendBytes is < 1 or > 256 * 1024 * 1024) yield return $"Database:Journal:AppendBytes is {journal.AppendBytes}; it must be 1 to 268435456.";
        if (journal.PendingBytes < journal.AppendBytes) yield return $"Database:Journal:PendingBytes ({journal.PendingBytes}) is below AppendBytes ({journal.AppendBytes}).";
        if (journal.GroupAppends < 1) yield return $"Database:Journal:GroupAppends is {journal.GroupAppends}; it must be positive.";
        if (journal.GroupBytes < 1) yield return $"Database:Journal:GroupBytes is {journal.GroupBytes}; it must be positive.";
        if (journal.StatementTimeout < TimeSpan.FromSeconds(1)) yield return $"Database:Journal:StatementTimeout is {journal.StatementTimeout}; it must be at least a second.";
        if (journal.RowPatience < TimeSpan.FromMilliseconds(10)) yield return $"Database:Journal:RowPatience is {journal.RowPatience}; it must be at least 10 ms.";
        if (journal.OutagePatience < TimeSpan.Zero) yield return $"Database:Journal:OutagePatience is {journal.OutagePatience}; it must not be negative.";
    }

    private static bool HasHost(string connectionString)
    {
        try
        {
            return !string.IsNullOrEmpty(new NpgsqlConnectionStringBuilder(connectionString).Host);
        }
        catch (Exception exception) when (exception is ArgumentException or FormatException or InvalidCastException)
        {
            return false; // said by the caller, which must not repeat the string: it holds a password
        }
    }
}
