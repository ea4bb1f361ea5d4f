using System.Diagnostics;
using System.Runtime.CompilerServices;
using Coordinator.Bench.Driving;
using Coordinator.Bench.Measuring;
using Coordinator.Client;

namespace Coordinator.Bench.Scenarios;

/// <summary>Creating sessions over HTTP, and what a session that sleeps costs in memory.</summary>
internal sealed class SessionCreation(TimeProvider time, int warmUp = 300, int count = 1_500) : IScenario
{
    private const int AtOnce = 8;

    private static readonly TimeSpan Bound = TimeSpan.FromMinutes(1);

    public string Name => "create";

    public async IAsyncEnumerable<Measurement> RunAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using var host = await HostProcess.StartRoleAsync("serve", "--Sessions:Host:HibernateAfter=00:00:01");
        await CreateAsync(host, warmUp, cancellationToken);
        var before = await AsleepAsync(host, cancellationToken);
        var (commits, cpu) = ((await host.JournalAsync(cancellationToken)).Commits, host.CpuSeconds());
        var latencies = await CreateAsync(host, count, cancellationToken);
        yield return new("Session create over HTTP", "commits", ((await host.JournalAsync(cancellationToken)).Commits - commits) / (double)count, "commits");
        yield return new("Session create over HTTP", "CPU of host and PostgreSQL", (host.CpuSeconds() - cpu) * 1_000 / count, "ms");
        var after = await AsleepAsync(host, cancellationToken);
        yield return new("Session create over HTTP", "p50", latencies.Percentile(50), "ms", 5);
        yield return new("Session create over HTTP", "p99", latencies.Percentile(99), "ms");
        yield return new("Memory", "a hibernated session (growth of the live heap, shared out)", (after.Managed - before.Managed) / (double)count, "bytes", 100);
        var began = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, AtOnce).Select(_ => CreateAsync(host, count / AtOnce, cancellationToken)));
        yield return new("Session create over HTTP", $"{AtOnce} at a time", count / Stopwatch.GetElapsedTime(began).TotalSeconds, "sessions/s", Above: 500);
    }

    private static async Task<Latencies> CreateAsync(HostProcess host, int sessions, CancellationToken cancellationToken)
    {
        using var client = host.Client();
        var latencies = new Latencies();
        for (var i = 0; i < sessions; i++)
        {
            var began = Stopwatch.GetTimestamp();
            await client.CreateSessionAsync(new NewSession(Turn.Model), cancellationToken);
            latencies.Add(began, Stopwatch.GetTimestamp());
        }

        return latencies;
    }

    private async Task<HostMemory> AsleepAsync(HostProcess host, CancellationToken cancellationToken)
    {
        var began = Stopwatch.GetTimestamp();
        while (true)
        {
            var memory = await host.MemoryAsync(cancellationToken);
            if (memory.Sessions == 0) return memory;
            if (Stopwatch.GetElapsedTime(began) > Bound) throw new InvalidOperationException($"{memory.Sessions} sessions stayed in memory.");
            await Task.Delay(TimeSpan.FromMilliseconds(250), time, cancellationToken);
        }
    }
}
