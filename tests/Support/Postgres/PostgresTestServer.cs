using System.Globalization;
using Coordinator.Adapters.Postgres;
using Coordinator.Adapters.Postgres.Embedded;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Coordinator.Tests.Support;

/// <summary>
/// The one PostgreSQL of a test process: that of <c>COORDINATOR_TEST_POSTGRES</c> (a connection string whose role may
/// create databases and roles), else an embedded one in a folder of <see cref="ClusterStorage"/>, gone when the process ends.
/// </summary>
public sealed class PostgresTestServer
{
    public const string Variable = "COORDINATOR_TEST_POSTGRES";

    private static readonly string FolderPrefix = $"coordinator-test-postgres-{Environment.UserName}-";
    private const string PlainRole = "coordinator_test";

    private static readonly Lazy<Task<PostgresTestServer>> Instance = new(StartAsync);

    private PostgresTestServer(string administrator, string host) => (Administrator, Host) = (administrator, host);

    /// <summary>Connects as a role that may create and drop databases and roles.</summary>
    public string Administrator { get; }

    /// <summary>Connects as a role that row-level security binds; the database's name is to be set.</summary>
    public string Host { get; }

    /// <summary>The server, started by whoever asks first.</summary>
    public static Task<PostgresTestServer> GetAsync() => Instance.Value;

    private static async Task<PostgresTestServer> StartAsync() =>
        Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } configured ? await UseAsync(configured) : await EmbedAsync();

    private static async Task<PostgresTestServer> EmbedAsync()
    {
        RemoveLeftovers();
        var folder = Path.Combine(ClusterStorage.Folder, string.Create(CultureInfo.InvariantCulture, $"{FolderPrefix}{Environment.ProcessId}"));
        var server = new EmbeddedPostgres(new DatabaseOptions { Embedded = { DataDirectory = folder } }, TimeProvider.System, NullLogger<EmbeddedPostgres>.Instance);
        await server.StartAsync(CancellationToken.None);
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Remove(server, folder);
        await Console.Error.WriteLineAsync($"Tests use an embedded PostgreSQL in {folder}.");
        return new(server.AdministratorConnectionString, server.ConnectionString);
    }

    private static async Task<PostgresTestServer> UseAsync(string configured)
    {
        await using var source = NpgsqlDataSource.Create(configured);
        await using var look = source.CreateCommand("SELECT rolsuper FROM pg_roles WHERE rolname = current_user");
        var host = new NpgsqlConnectionStringBuilder(configured);
        if (await look.ExecuteScalarAsync() is true)
        {
            (host.Username, host.Password) = (PlainRole, PlainRole);
            await using var make = source.CreateCommand($"DO $$ BEGIN CREATE ROLE {PlainRole} LOGIN PASSWORD '{PlainRole}'; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$");
            await make.ExecuteNonQueryAsync();
        }

        await Console.Error.WriteLineAsync($"Tests use the PostgreSQL of {Variable} at {host.Host}.");
        return new(configured, host.ConnectionString);
    }

    private static void Remove(EmbeddedPostgres server, string folder)
    {
        server.DisposeAsync().AsTask().GetAwaiter().GetResult(); // the process's last act has no other thread to return to
        Directory.Delete(folder, recursive: true);
    }

    /// <summary>Folders of test processes that were killed.</summary>
    private static void RemoveLeftovers()
    {
        foreach (var folder in Directory.EnumerateDirectories(ClusterStorage.Folder, $"{FolderPrefix}*"))
        {
            var process = Path.GetFileName(folder)[FolderPrefix.Length..];
            if (Directory.Exists($"/proc/{process}") || !FolderLock.IsFree(Path.Combine(folder, "server.lock"))) continue;
            TryRemove(folder);
        }
    }

    private static void TryRemove(string folder)
    {
        try
        {
            Directory.Delete(folder, recursive: true);
            var sockets = EmbeddedLayout.For(new() { DataDirectory = folder }).RuntimeDirectory;
            if (Directory.Exists(sockets)) Directory.Delete(sockets, recursive: true);
        }
        catch (IOException)
        {
            // Another test process has started in this moment and removes it too.
        }
    }
}
