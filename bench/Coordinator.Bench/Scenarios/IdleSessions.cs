using System.Runtime.CompilerServices;
using Coordinator.Bench.Driving;
using Coordinator.Bench.Measuring;
using Coordinator.Client;

namespace Coordinator.Bench.Scenarios;

/// <summary>Sessions in which nothing happens, with a box and a client each: what they hold, and what a heartbeat computes.</summary>
internal sealed class IdleSessions(TimeProvider time, int connected = 1_000, int heartbeats = 40_000) : IScenario
{
    /// <summary>Longer than a connection to the database that nobody uses any more is kept.</summary>
    private static readonly TimeSpan Rest = TimeSpan.FromMinutes(2);

    /// <summary>As a box says that it lives.</summary>
    private static readonly TimeSpan BetweenHeartbeats = TimeSpan.FromSeconds(15);

    public string Name => "idle";

    public async IAsyncEnumerable<Measurement> RunAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using var host = await HostProcess.StartRoleAsync("serve");
        var turns = new List<Turn>();
        using var leaving = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var staying = new List<Task>();
        await host.MemoryAsync(cancellationToken);
        var (idle, withoutDatabase) = (host.Megabytes(), host.Megabytes() - host.DatabaseMegabytes());
        await ConnectAsync(host, turns, staying, connected / 10, leaving.Token); // code and buffers get their size
        var managed = (await host.MemoryAsync(cancellationToken)).Managed;
        var (before, database) = (host.Megabytes(), host.DatabaseMegabytes());
        await ConnectAsync(host, turns, staying, connected - turns.Count, leaving.Token);
        var after = await host.MemoryAsync(cancellationToken);
        var more = connected - (connected / 10);
        var idleSessions = $"{connected:N0} idle sessions with a box and a client each, above the idle host (PSS)";
        yield return new("Memory", $"{idleSessions}: right behind the turn of the last of them", host.Megabytes() - idle, "MB");
        yield return new("Memory", "each after the first tenth (PSS, shared out)", (host.Megabytes() - before) * 1_024 / more, "KB");
        yield return new("Memory", "of which PostgreSQL, whose buffers fill", (host.DatabaseMegabytes() - database) * 1_024 / more, "KB");
        yield return new("Memory", "of which live managed heap", (after.Managed - managed) / 1024.0 / more, "KB");
        await RestAsync(turns, cancellationToken);
        await host.MemoryAsync(cancellationToken);
        yield return new("Memory", $"{idleSessions}: after two minutes", host.Megabytes() - idle, "MB", 100);
        yield return new("Memory", "of which the host without PostgreSQL", host.Megabytes() - host.DatabaseMegabytes() - withoutDatabase, "MB");
        var cpu = host.CpuSeconds();
        for (var i = 0; i < heartbeats; i++) await turns[i % turns.Count].Box.HeartbeatAsync(cancellationToken);
        await EndAsync(host, turns[0], cancellationToken);
        yield return new("Heartbeat", "CPU of host and PostgreSQL", (host.CpuSeconds() - cpu) * 1_000 / heartbeats, "ms", 0.1);
        await leaving.CancelAsync();
        await Task.WhenAll(staying);
        foreach (var turn in turns) await turn.DisposeAsync();
    }

    /// <summary>More of them; those that are there say now and then that they live.</summary>
    private static async Task ConnectAsync(HostProcess host, List<Turn> turns, List<Task> staying, int more, CancellationToken cancellationToken)
    {
        for (var i = 0; i < more; i++)
        {
            turns.Add(await IdleTurnAsync(host, cancellationToken));
            staying.Add(turns[^1].Watcher.StayAsync(cancellationToken));
            if (i % 50 != 0) continue;
            foreach (var turn in turns) await turn.Box.HeartbeatAsync(cancellationToken);
        }
    }

    /// <summary>Nothing happens but that boxes live.</summary>
    private async Task RestAsync(List<Turn> turns, CancellationToken cancellationToken)
    {
        for (var rested = TimeSpan.Zero; rested < Rest; rested += BetweenHeartbeats)
        {
            await Task.Delay(BetweenHeartbeats, time, cancellationToken);
            foreach (var turn in turns) await turn.Box.HeartbeatAsync(cancellationToken);
        }
    }

    private static async Task<Turn> IdleTurnAsync(HostProcess host, CancellationToken cancellationToken)
    {
        var turn = await Turn.BeginAsync(host, cancellationToken);
        await turn.EndAsync(cancellationToken);
        return turn;
    }

    /// <summary>A turn of one more message: what was sent before it has then been taken in.</summary>
    private static async Task EndAsync(HostProcess host, Turn turn, CancellationToken cancellationToken)
    {
        using var client = host.Client();
        await client.PromptAsync(turn.Session, "after the heartbeats", cancellationToken);
        await turn.Box.NextPromptAsync(cancellationToken);
    }
}
