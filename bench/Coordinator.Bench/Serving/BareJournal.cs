using Coordinator.Adapters.Postgres;
using Coordinator.Ports;
using Coordinator.Ports.Session;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;
using NpgsqlTypes;

namespace Coordinator.Bench.Serving;

/// <summary>The journal without a host around it, in this process, and beside it, in the same server, a table that promises nothing.</summary>
internal sealed class BareJournal : IAsyncDisposable
{
    private readonly ServiceProvider services;
    private readonly string data;

    private BareJournal(ServiceProvider services, string data)
    {
        (this.services, this.data) = (services, data);
        var pool = services.GetRequiredService<NpgsqlDataSource>().ConnectionString;
        Source = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(pool) { Options = null, NoResetOnClose = true });
    }

    public ISessionJournal Journal => services.GetRequiredService<ISessionJournal>();

    /// <summary>The same server, as the owner of what is in it: the table beside the journal is bound by nothing.</summary>
    public NpgsqlDataSource Source { get; }

    public static async Task<BareJournal> StartAsync(CancellationToken cancellationToken)
    {
        var data = Directory.CreateTempSubdirectory("coordinator-bench-").FullName;
        var settings = new Dictionary<string, string?>(StringComparer.Ordinal) { ["Database:Embedded:DataDirectory"] = Path.Combine(data, "postgres") };
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(settings).Build();
        var journal = new BareJournal(new ServiceCollection().AddLogging(logging => logging.ClearProviders()).AddPostgres(configuration).BuildServiceProvider(), data);
        foreach (var dependency in journal.services.GetServices<IHostDependency>()) await dependency.StartAsync(cancellationToken);
        await using var table = journal.Source.CreateCommand("CREATE TABLE bench_row (session uuid, version bigint, payload bytea, PRIMARY KEY (session, version))");
        await table.ExecuteNonQueryAsync(cancellationToken);
        return journal;
    }

    public async Task<IReadOnlyList<JournalLease>> OpenAsync(int sessions, TimeProvider time, CancellationToken cancellationToken)
    {
        var (organization, host, leases) = (OrganizationId.New(time), HostId.New(time), new List<JournalLease>());
        for (var i = 0; i < sessions; i++) leases.Add((await Journal.OpenAsync(new(organization, SessionId.New(time)), host, create: true, cancellationToken))!);
        return leases;
    }

    public async ValueTask DisposeAsync()
    {
        await Source.DisposeAsync();
        await services.DisposeAsync();
        Directory.Delete(data, recursive: true);
    }
}

/// <summary>The least that a grouped append can be: one insert of all rows into a table with a key, in a commit of its own.</summary>
internal sealed class BareInsert(NpgsqlConnection connection) : IAsyncDisposable
{
    private readonly NpgsqlParameter<Guid[]> sessions = new();
    private readonly NpgsqlParameter<long[]> versions = new() { NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bigint };
    private readonly NpgsqlParameter<byte[][]> payloads = new() { NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bytea };
    private NpgsqlCommand? command;

    /// <summary>A row for each session, all of the same version and payload.</summary>
    public ValueTask WriteAsync(Guid[] ids, long version, byte[] payload, CancellationToken cancellationToken) =>
        WriteAsync(ids, [.. Enumerable.Repeat(version, ids.Length)], [.. Enumerable.Repeat(payload, ids.Length)], cancellationToken);

    /// <summary>A row for each session, of its own version and payload.</summary>
    public async ValueTask WriteAsync(Guid[] ids, long[] at, byte[][] what, CancellationToken cancellationToken)
    {
        command ??= new("INSERT INTO bench_row SELECT * FROM unnest($1, $2, $3)", connection) { Parameters = { sessions, versions, payloads } };
        (sessions.TypedValue, versions.TypedValue, payloads.TypedValue) = (ids, at, what);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        if (command is not null) await command.DisposeAsync();
        await connection.DisposeAsync();
    }
}
