using System.Runtime.CompilerServices;
using Coordinator.Bench.Driving;
using Coordinator.Bench.Measuring;
using Coordinator.Bench.Serving;
using Coordinator.Ports;
using Coordinator.Ports.Session;
using Npgsql;

namespace Coordinator.Bench.Scenarios;

/// <summary>
/// The journal's fenced, grouped append beside its limit, a grouped append of the same rows for as many who wait, by as many writers, in the
/// same server: what fence, head, wake-up and settlement cost. Beside both, inserts of such groups that nobody waits for.
/// </summary>
internal sealed class GroupedAppend(TimeProvider time, int sessions = 64, int rounds = 400) : IScenario
{
    private const int Writers = 2;
    private const int Turns = 9;

    /// <summary>Turns that are not counted: the runtime is still compiling, which a host that serves has behind it.</summary>
    private const int WarmUps = 3;

    private static readonly byte[] View = [.. "{\"title\":\""u8, .. new byte[400].Select(_ => (byte)' '), .. "\"}"u8];

    public string Name => "append";

    public async IAsyncEnumerable<Measurement> RunAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using var bare = await BareJournal.StartAsync(cancellationToken);
        var (appended, moving, grouped, inserted) = (new List<Cost>(), new List<Cost>(), new List<Cost>(), new List<Cost>());
        for (var turn = 0; turn < WarmUps + Turns; turn++)
        {
            var leases = await bare.OpenAsync(sessions, time, cancellationToken);
            var others = await bare.OpenAsync(sessions, time, cancellationToken);
            appended.Add(await Cost.OfAsync(bare.Source, () => AppendAsync(bare.Journal, leases, Plain, cancellationToken)));
            moving.Add(await Cost.OfAsync(bare.Source, () => AppendAsync(bare.Journal, others, Moving, cancellationToken)));
            await using var writers = await BareGroupCommit.OpenAsync(bare.Source, Writers, cancellationToken);
            grouped.Add(await Cost.OfAsync(bare.Source, () => AddAsync(writers)));
            inserted.Add(await Cost.OfAsync(bare.Source, () => InsertAsync(bare.Source, cancellationToken)));
        }

        var (append, group, insert) = (Cost.Median(appended.Skip(WarmUps)), Cost.Median(grouped.Skip(WarmUps)), Cost.Median(inserted.Skip(WarmUps)));
        var records = (double)(sessions * rounds);
        yield return new("Grouped append", $"{sessions} sessions, one append each in flight", records / append.Seconds, "records/s");
        yield return new("Grouped append", "append against its limit", OfTurns(grouped, appended, cost => cost.Seconds), "ratio", Above: 0.6);
        yield return new("Grouped append", "append against its limit, by CPU time", OfTurns(grouped, appended, cost => cost.CpuSeconds), "ratio");
        yield return new("Grouped append", "append against a bare insert that nobody waits for", OfTurns(inserted, appended, cost => cost.Seconds), "ratio");
        yield return new("Grouped append", "append against a bare insert that nobody waits for, by CPU time", OfTurns(inserted, appended, cost => cost.CpuSeconds), "ratio");
        yield return new("Grouped append", "one that moves the wake-up and, each eighth time, the view, against the limit", OfTurns(grouped, moving, cost => cost.Seconds), "ratio");
        foreach (var (area, cost) in new[] { ("Grouped append", append), ("Limit: a bare grouped append", group), ("A bare insert that nobody waits for", insert) })
        {
            if (cost != append) yield return new(area, "in groups of the same size", records / cost.Seconds, "records/s");
            yield return new(area, "CPU of the host", cost.OwnCpuSeconds * 1e6 / records, "µs/record");
            yield return new(area, "CPU of PostgreSQL", (cost.CpuSeconds - cost.OwnCpuSeconds) * 1e6 / records, "µs/record");
            yield return new(area, "allocated by the host", cost.Allocated / records, "bytes/record");
            yield return new(area, "records in a commit", records / cost.Commits, "records");
            yield return new(area, "write-ahead log", cost.WalBytes / records, "bytes/record");
        }

        yield return new("Grouped append", "commits", append.Commits / append.Seconds, "commits/s");
    }

    private static double OfTurns(List<Cost> limit, List<Cost> ours, Func<Cost, double> of) => Ratio.OfTurns(limit.Skip(WarmUps).Select(of), ours.Skip(WarmUps).Select(of));

    private Task AppendAsync(ISessionJournal journal, IReadOnlyList<JournalLease> leases, Func<long, JournalAppend> append, CancellationToken cancellationToken) =>
        Task.WhenAll(leases.Select(lease => AppendAsync(journal, lease, append, cancellationToken)));

    private async Task AppendAsync(ISessionJournal journal, JournalLease lease, Func<long, JournalAppend> append, CancellationToken cancellationToken)
    {
        for (var version = lease.Version; version < lease.Version + rounds; version++)
            if (!await journal.AppendAsync(lease, append(version), cancellationToken)) throw new InvalidOperationException("An append was fenced.");
    }

    /// <summary>As most are while an agent speaks.</summary>
    private JournalAppend Plain(long version) => new(version, SampleRecord.Bytes, 1, time.GetUtcNow(), null, null);

    /// <summary>As they are where turns begin and end.</summary>
    private JournalAppend Moving(long version) => new(version, SampleRecord.Bytes, 1, time.GetUtcNow(), time.GetUtcNow() + TimeSpan.FromHours(2), version % 8 == 0 ? View : null);

    private Task AddAsync(BareGroupCommit writers) => Task.WhenAll(Enumerable.Range(0, sessions).Select(i => AddAsync(writers, i, SessionId.New(time).Value)));

    private async Task AddAsync(BareGroupCommit writers, int session, Guid id)
    {
        for (var version = 0L; version < rounds; version++) await writers.AddAsync(session, id, version, SampleRecord.Bytes);
    }

    private Task InsertAsync(NpgsqlDataSource source, CancellationToken cancellationToken) =>
        Task.WhenAll(Enumerable.Range(0, Writers).Select(_ => InsertGroupsAsync(source, cancellationToken)));

    private async Task InsertGroupsAsync(NpgsqlDataSource source, CancellationToken cancellationToken)
    {
        var ids = Enumerable.Range(0, sessions / Writers).Select(_ => SessionId.New(time).Value).ToArray();
        await using var insert = new BareInsert(await source.OpenConnectionAsync(cancellationToken));
        for (var version = 0L; version < rounds; version++) await insert.WriteAsync(ids, version, SampleRecord.Bytes, cancellationToken);
    }
}
