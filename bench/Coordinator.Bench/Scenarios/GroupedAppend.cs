using System.Runtime.CompilerServices;
using Coordinator.Bench.Measuring;
using Coordinator.Bench.Serving;
using Coordinator.Ports;
using Coordinator.Ports.Session;
using Npgsql;

namespace Coordinator.Bench.Scenarios;

/// <summary>
/// The journal's fenced, grouped append beside a bare grouped insert of the same bytes into one table, in the same server:
/// what fence, head, wake-up and settlement cost.
/// </summary>
internal sealed class GroupedAppend(TimeProvider time, int sessions = 64, int rounds = 400) : IScenario
{
    private const int Writers = 2;
    private const int Turns = 3;

    private static readonly byte[] Payload = [.. "{\"facts\":[],\"events\":["u8, .. new byte[180].Select(_ => (byte)' '), .. "]}"u8];

    public string Name => "append";

    public async IAsyncEnumerable<Measurement> RunAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using var bare = await BareJournal.StartAsync(cancellationToken);
        await AppendAsync(bare.Journal, await bare.OpenAsync(sessions, time, cancellationToken), rounds / 4, cancellationToken);
        await InsertAsync(bare.Source, rounds / 4, cancellationToken);

        var (appended, inserted) = (new List<Cost>(), new List<Cost>());
        for (var turn = 0; turn < Turns; turn++)
        {
            var leases = await bare.OpenAsync(sessions, time, cancellationToken);
            appended.Add(await Cost.OfAsync(bare.Source, () => AppendAsync(bare.Journal, leases, rounds, cancellationToken)));
            inserted.Add(await Cost.OfAsync(bare.Source, () => InsertAsync(bare.Source, rounds, cancellationToken)));
        }

        var (append, insert) = (Cost.Median(appended), Cost.Median(inserted));
        var records = (double)(sessions * rounds);
        yield return new("Grouped append", $"{sessions} sessions, one append each in flight", records / append.Seconds, "records/s");
        yield return new("Grouped append", "bare insert in groups of the same size", records / insert.Seconds, "records/s");
        yield return new("Grouped append", "append against bare insert", insert.Seconds / append.Seconds, "ratio", Above: 0.6);
        yield return new("Grouped append", "append against bare insert, by CPU time", insert.CpuSeconds / append.CpuSeconds, "ratio");
        yield return new("Grouped append", "CPU of the host", append.OwnCpuSeconds * 1e6 / records, "µs/record");
        yield return new("Grouped append", "CPU of PostgreSQL", (append.CpuSeconds - append.OwnCpuSeconds) * 1e6 / records, "µs/record");
        yield return new("Grouped append", "CPU of a bare insert, both sides", insert.CpuSeconds * 1e6 / records, "µs/record");
        yield return new("Grouped append", "allocated by the host", append.Allocated / records, "bytes/record");
        yield return new("Grouped append", "records in a commit", records / append.Commits, "records");
        yield return new("Grouped append", "commits", append.Commits / append.Seconds, "commits/s");
        yield return new("Grouped append", "write-ahead log", append.WalBytes / records, "bytes/record");
    }

    private Task AppendAsync(ISessionJournal journal, IReadOnlyList<JournalLease> leases, int times, CancellationToken cancellationToken) =>
        Task.WhenAll(leases.Select(lease => AppendAsync(journal, lease, times, cancellationToken)));

    private async Task AppendAsync(ISessionJournal journal, JournalLease lease, int times, CancellationToken cancellationToken)
    {
        for (var version = lease.Version; version < lease.Version + times; version++)
            if (!await journal.AppendAsync(lease, new(version, Payload, 1, time.GetUtcNow(), null, null), cancellationToken)) throw new InvalidOperationException("An append was fenced.");
    }

    private Task InsertAsync(NpgsqlDataSource source, int times, CancellationToken cancellationToken) =>
        Task.WhenAll(Enumerable.Range(0, Writers).Select(_ => InsertGroupsAsync(source, times, cancellationToken)));

    private async Task InsertGroupsAsync(NpgsqlDataSource source, int times, CancellationToken cancellationToken)
    {
        var ids = Enumerable.Range(0, sessions / Writers).Select(_ => SessionId.New(time).Value).ToArray();
        await using var insert = new BareInsert(await source.OpenConnectionAsync(cancellationToken));
        for (var version = 0L; version < times; version++) await insert.WriteAsync(ids, version, Payload, cancellationToken);
    }
}
