using System.Diagnostics;
using System.Runtime.CompilerServices;
using Coordinator.Adapters.Postgres;
using Coordinator.Bench.Measuring;
using Coordinator.Ports;
using Coordinator.Ports.Session;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;
using NpgsqlTypes;

namespace Coordinator.Bench.Scenarios;

/// <summary>
/// The journal's fenced, grouped append beside a bare grouped insert of the same bytes into one table, in the same server:
/// what fence, head, wake-up and settlement cost.
/// </summary>
internal sealed class GroupedAppend(TimeProvider time, int sessions = 64, int rounds = 400) : IScenario
{
    private const int Writers = 2;

    private static readonly byte[] Payload = [.. "{\"facts\":[],\"events\":["u8, .. new byte[180].Select(_ => (byte)' '), .. "]}"u8];

    public string Name => "append";

    public async IAsyncEnumerable<Measurement> RunAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var data = Directory.CreateTempSubdirectory("coordinator-bench-").FullName;
        try
        {
            await using var services = Services(data);
            foreach (var dependency in services.GetServices<IHostDependency>()) await dependency.StartAsync(cancellationToken);
            var journal = services.GetRequiredService<ISessionJournal>();
            var source = services.GetRequiredService<NpgsqlDataSource>();
            await AppendAsync(journal, rounds / 4, cancellationToken);
            await InsertAsync(source, rounds / 4, cancellationToken);

            var appended = sessions * rounds / (await AppendAsync(journal, rounds, cancellationToken)).TotalSeconds;
            var inserted = sessions * rounds / (await InsertAsync(source, rounds, cancellationToken)).TotalSeconds;
            yield return new("Grouped append", $"{sessions} sessions, one append each in flight", appended, "records/s");
            yield return new("Grouped append", "bare insert in groups of the same size", inserted, "records/s");
            yield return new("Grouped append", "append against bare insert", appended / inserted, "ratio");
        }
        finally
        {
            Directory.Delete(data, recursive: true);
        }
    }

    private static ServiceProvider Services(string data)
    {
        var settings = new Dictionary<string, string?>(StringComparer.Ordinal) { ["Database:Embedded:DataDirectory"] = Path.Combine(data, "postgres") };
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(settings).Build();
        return new ServiceCollection().AddLogging(logging => logging.ClearProviders()).AddPostgres(configuration).BuildServiceProvider();
    }

    private async Task<TimeSpan> AppendAsync(ISessionJournal journal, int times, CancellationToken cancellationToken)
    {
        var organization = OrganizationId.New(time);
        var leases = new List<JournalLease>();
        for (var i = 0; i < sessions; i++) leases.Add((await journal.OpenAsync(new(organization, SessionId.New(time)), HostId.New(time), create: true, cancellationToken))!);
        var began = Stopwatch.GetTimestamp();
        await Task.WhenAll(leases.Select(lease => AppendAsync(journal, lease, times, cancellationToken)));
        return Stopwatch.GetElapsedTime(began);
    }

    private async Task AppendAsync(ISessionJournal journal, JournalLease lease, int times, CancellationToken cancellationToken)
    {
        for (var version = lease.Version; version < lease.Version + times; version++)
            if (!await journal.AppendAsync(lease, new(version, Payload, 1, time.GetUtcNow(), null, null), cancellationToken)) throw new InvalidOperationException("An append was fenced.");
    }

    private async Task<TimeSpan> InsertAsync(NpgsqlDataSource source, int times, CancellationToken cancellationToken)
    {
        await using (var table = source.CreateCommand("CREATE TABLE IF NOT EXISTS bench_row (session uuid, version bigint, payload bytea, PRIMARY KEY (session, version))")) await table.ExecuteNonQueryAsync(cancellationToken);
        var began = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, Writers).Select(_ => InsertGroupsAsync(source, times, cancellationToken)));
        return Stopwatch.GetElapsedTime(began);
    }

    private async Task InsertGroupsAsync(NpgsqlDataSource source, int times, CancellationToken cancellationToken)
    {
        var ids = Enumerable.Range(0, sessions / Writers).Select(_ => SessionId.New(time).Value).ToArray();
        await using var connection = await source.OpenConnectionAsync(cancellationToken);
        await using var command = new NpgsqlCommand("INSERT INTO bench_row SELECT * FROM unnest($1, $2, $3)", connection);
        var versions = new NpgsqlParameter<long[]> { TypedValue = [], NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bigint };
        command.Parameters.Add(new NpgsqlParameter<Guid[]> { TypedValue = ids });
        command.Parameters.Add(versions);
        command.Parameters.Add(new NpgsqlParameter<byte[][]> { TypedValue = [.. ids.Select(_ => Payload)], NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bytea });
        for (var version = 0L; version < times; version++)
        {
            versions.TypedValue = [.. Enumerable.Repeat(version, ids.Length)];
            await command.ExecuteNonQueryAsync(cancellationToken);
        }
    }
}
