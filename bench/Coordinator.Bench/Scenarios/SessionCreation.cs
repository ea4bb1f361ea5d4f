using System.Runtime.CompilerServices;
using Coordinator.Bench.Driving;
using Coordinator.Bench.Measuring;
using Coordinator.Client;

namespace Coordinator.Bench.Scenarios;

/// <summary>
/// Creating sessions over HTTP, turn by turn with its limit, a bare POST that is answered once a row is durable; and what a session that
/// sleeps costs in memory.
/// </summary>
internal sealed class SessionCreation(TimeProvider time, int warmUp = 300, int count = 1_500) : IScenario
{
    private const int AtOnce = 8;

    private const int Turns = 5;

    private const string Area = "Session create over HTTP";

    private const string Limit = "a bare POST and insert";

    public string Name => "create";

    public async IAsyncEnumerable<Measurement> RunAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using var host = await HostProcess.StartRoleAsync("serve", "--Sessions:Host:HibernateAfter=00:00:01");
        await using var store = await StoreCaller.StartAsync(time, cancellationToken);
        using var client = host.Client();
        using var http = store.Process.Http();
        Func<Task>[] acts = [() => client.CreateSessionAsync(new NewSession(Turn.Model), cancellationToken), () => StoreCaller.AddAsync(http, cancellationToken)];
        await Latencies.InTurnsAsync(1, warmUp, acts);
        var before = await host.AsleepAsync(time, cancellationToken);
        var (commits, cpu, storeCpu) = ((await host.JournalAsync(cancellationToken)).Commits, host.CpuSeconds(), store.Process.CpuSeconds());
        var took = await Latencies.InTurnsAsync(Turns, count / Turns, acts);
        yield return new(Area, "commits", ((await host.JournalAsync(cancellationToken)).Commits - commits) / (double)count, "commits");
        (cpu, storeCpu) = (host.CpuSeconds() - cpu, store.Process.CpuSeconds() - storeCpu);
        yield return new(Area, "CPU of host and PostgreSQL", cpu * 1_000 / count, "ms");
        yield return new(Area, $"limit, {Limit}: CPU", storeCpu * 1_000 / count, "ms");
        yield return new(Area, $"against {Limit}, by CPU time", cpu / storeCpu, "times");
        var after = await host.AsleepAsync(time, cancellationToken);
        yield return new(Area, "p50", took[0].Percentile(50), "ms", 5);
        yield return new(Area, "p99", took[0].Percentile(99), "ms");
        foreach (var one in took[0].Beside(took[1], Area, Limit, 50, 99)) yield return one;
        yield return new("Memory", "a hibernated session (growth of the live heap, shared out)", (after.Managed - before.Managed) / (double)count, "bytes", 100);
        await foreach (var one in AtOnceAsync(acts)) yield return one;
    }

    private async IAsyncEnumerable<Measurement> AtOnceAsync(Func<Task>[] acts)
    {
        var each = count / AtOnce / Turns;
        Func<Task>[] atOnce = [.. acts.Select(act => (Func<Task>)(() => Task.WhenAll(Enumerable.Range(0, AtOnce).Select(_ => Latencies.InTurnsAsync(1, each, act)))))];
        await Latencies.InTurnsAsync(1, 1, atOnce); // as many connections are opened
        var took = await Latencies.InTurnsAsync(Turns, 1, atOnce);
        var made = (double)(each * AtOnce * Turns);
        yield return new(Area, $"{AtOnce} at a time", made / took[0].Seconds, "sessions/s", Above: 500);
        yield return new(Area, $"{AtOnce} at a time: limit, {Limit}", made / took[1].Seconds, "rows/s");
        yield return new(Area, $"{AtOnce} at a time: against {Limit}", took[0].RateAgainst(took[1]), "ratio");
    }
}
