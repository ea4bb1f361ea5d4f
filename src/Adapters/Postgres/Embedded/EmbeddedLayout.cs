using System.Security.Cryptography;
using System.Text;

namespace Coordinator.Adapters.Postgres.Embedded;

/// <summary>
/// Where the embedded server keeps its things. The socket's folder follows from the configured data folder alone, so the
/// connection string is known before anything is started, and the next host process finds the same place.
/// </summary>
internal sealed record EmbeddedLayout(string Root, string RuntimeDirectory)
{
    /// <summary>sockaddr_un holds 107 bytes, the socket's name and its lock's suffix included.</summary>
    private const int SocketDirectoryBytes = 107 - 1 - 19;

    public const int Port = 5432;
    public const string Database = "coordinator";
    public const string Role = "coordinator";
    public const string Administrator = "postgres";

    /// <summary>PostgreSQL's own data folder.</summary>
    public string Cluster => Path.Combine(Root, "cluster");

    /// <summary>Where initdb works, renamed to <see cref="Cluster"/> when it is done: a half-made cluster is never started.</summary>
    public string UnfinishedCluster => Path.Combine(Root, "cluster.new");

    /// <summary>Held by the host process that owns the folder, as long as it lives.</summary>
    public string OwnerLock => Path.Combine(Root, "owner.lock");

    /// <summary>Held by the guard and by every process of the server: free means that none of them lives.</summary>
    public string ServerLock => Path.Combine(Root, "server.lock");

    public string Log => Path.Combine(Root, "postgres.log");

    /// <summary>The folder for a configured data folder, with the data where it was asked for.</summary>
    public static EmbeddedLayout For(EmbeddedOptions options)
    {
        var root = Path.GetFullPath(options.DataDirectory);
        var runtime = options.RuntimeDirectory is { Length: > 0 } configured ? Path.GetFullPath(configured) : DefaultRuntimeDirectory(root);
        if (Encoding.UTF8.GetByteCount(runtime) > SocketDirectoryBytes)
        {
            throw new DatabaseStartException($"The socket's folder {runtime} is longer than the {SocketDirectoryBytes} bytes a socket's path leaves for it; set Database:Embedded:RuntimeDirectory to a shorter one.");
        }

        return new(root, runtime);
    }

    /// <summary>The same, with the data where the server's own user can reach it.</summary>
    public EmbeddedLayout Reachable() => this with { Root = Path.Combine(SharedState, NameOf(Root), "postgres") };

    /// <summary>Where root keeps what its other users must reach.</summary>
    public const string SharedState = "/var/lib/coordinator";

    /// <summary>A short name for a path, the same in every process.</summary>
    public static string NameOf(string path) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(path)).AsSpan(0, 6));

    /// <summary>Not XDG_RUNTIME_DIR: it is removed at logout, and the host may go on.</summary>
    private static string DefaultRuntimeDirectory(string root) => Environment.IsPrivilegedProcess
        ? $"/run/coordinator/{NameOf(root)}"
        : $"/tmp/coordinator-{NativeMethods.GetEffectiveUserId()}-{NameOf(root)}";

    /// <summary>The connection string of the host's ordinary role, or of the administrator.</summary>
    public Npgsql.NpgsqlConnectionStringBuilder Connection(string role = Role, string database = Database) => new()
    {
        Host = RuntimeDirectory,
        Port = Port,
        Username = role,
        Database = database,
        SslMode = Npgsql.SslMode.Disable,
        GssEncryptionMode = Npgsql.GssEncryptionMode.Disable,
    };
}
