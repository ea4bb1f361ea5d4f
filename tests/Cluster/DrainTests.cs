using System.Diagnostics;
using Coordinator.Tests.Cluster.World;
using Coordinator.Tests.Support;
using Xunit;
using Xunit.Abstractions;

namespace Coordinator.Tests.Cluster;

/// <summary>Hosts that are told to stop.</summary>
public sealed class DrainTests(ITestOutputHelper output)
{
    private const int Restarting = 1012;

    [Fact]
    public async Task A_host_that_is_told_to_stop_sends_its_sockets_away_and_hands_its_actors_over()
    {
        await using var world = await ClusterWorld.StartAsync(2);
        var (session, message) = await world.SessionAsync(0, "count to 300");
        var box = await world.BoxAsync(session, [0, 1], holdBefore: 100);
        var client = world.Watch(session, 0, 1);
        await client.UntilSaidAsync(message, 99);
        var left = (await world.Journal.IdsAsync(world.Hosts[0].Url))[^1];

        await world.Hosts[0].StopAsync();
        box.Release();
        await client.UntilEndedAsync(message);

        Assert.Contains((world.Hosts[0].Url, (int?)Restarting), client.Closes);
        Assert.Contains((world.Hosts[0].Url, (int?)Restarting), box.Closes);
        Assert.True(await world.Journal.IsDeadAsync(left), "It did not say that it leaves.");
        Assert.Equal(world.Hosts[1].Url, await world.Journal.OwnerAsync(session));
        Assert.DoesNotContain("is dead", world.Hosts[1].Output, StringComparison.Ordinal);
        await world.HoldsAsync(session, 1, box, new Dictionary<string, int> { [message] = 300 }, client);
    }

    [Fact]
    public async Task A_box_that_is_being_made_when_its_host_is_told_to_stop_is_made_once_and_goes_on_with_the_next()
    {
        await using var world = await ClusterWorld.StartAsync(2);
        world.Plane!.HoldCreates();
        var (session, first) = await world.SessionAsync(0, "count to 20");
        await Eventually.HoldsAsync(() => world.Plane.Asked == 1, "that the box is being made");

        var stopping = world.Hosts[0].StopAsync();
        await Eventually.HoldsAsync(() => world.Hosts[0].Output.Contains("Draining 1 sessions", StringComparison.Ordinal), "that the host is about to stop");
        var second = (await world.ClientOf(1).PromptAsync(session, "count to 10", CancellationToken.None)).MessageId;
        Assert.Equal(world.Hosts[0].Url, await world.Journal.OwnerAsync(session));
        world.Plane.LetCreate();
        await stopping;
        var box = await world.BoxAsync(session, [1]);
        var client = world.Watch(session, 1);
        await client.UntilEndedAsync(second);

        Assert.Equal((1, 1), (world.Plane.Asked, world.Plane.Made));
        Assert.Equal(world.Hosts[1].Url, await world.Journal.OwnerAsync(session));
        Assert.DoesNotContain("abandoned", world.Hosts[0].Output, StringComparison.Ordinal);
        await world.HoldsAsync(session, 1, box, new Dictionary<string, int> { [first] = 20, [second] = 10 }, client);
    }

    [Fact]
    public async Task A_rolling_restart_of_three_hosts_under_load_loses_nothing()
    {
        const int Sessions = 6;
        await using var world = await ClusterWorld.StartAsync(3);
        var loads = new List<Load>();
        for (var i = 0; i < Sessions; i++) loads.Add(await Load.StartAsync(world, i));

        foreach (var host in world.Hosts)
        {
            var turns = loads.Select(load => load.Ended).ToList();
            var began = Stopwatch.GetTimestamp();
            await host.StopAsync();
            var stopped = Stopwatch.GetElapsedTime(began);
            await host.StartAsync();
            var started = Stopwatch.GetElapsedTime(began);
            for (var i = 0; i < loads.Count; i++) await loads[i].UntilBeyondAsync(turns[i]);
            output.WriteLine($"{host.Url} stopped within {stopped.TotalSeconds:0.0} s, served again after {started.TotalSeconds:0.0} s, and every session had gone on after {Stopwatch.GetElapsedTime(began).TotalSeconds:0.0} s.");
        }

        foreach (var load in loads) await load.EndAsync();
        foreach (var load in loads) await world.HoldsAsync(load.Session, 1, load.Box, load.Messages, load.Client);
        Assert.Equal(Sessions, world.Plane!.Made);
    }

    /// <summary>A session that is asked for one short turn after another.</summary>
    private sealed class Load(ClusterWorld world, string session, ScriptedBox box, WatchingClient client, int askedAt)
    {
        private const int Numbers = 40;

        private readonly CancellationTokenSource enough = new();
        private readonly Dictionary<string, int> messages = new(StringComparer.Ordinal);
        private Task asking = Task.CompletedTask;
        private int ended;

        public string Session => session;

        public ScriptedBox Box => box;

        public WatchingClient Client => client;

        public IReadOnlyDictionary<string, int> Messages => messages;

        /// <summary>Turns that have ended.</summary>
        public int Ended => Volatile.Read(ref ended);

        public static async Task<Load> StartAsync(ClusterWorld world, int number)
        {
            var (owner, near, far) = (number % 3, (number + 1) % 3, (number + 2) % 3);
            var (session, message) = await world.SessionAsync(owner, $"count to {Numbers}");
            var load = new Load(world, session, await world.BoxAsync(session, [near, far, owner]), world.Watch(session, far, owner, near), owner);
            load.messages.Add(message, Numbers);
            load.asking = Task.Run(load.AskAsync);
            return load;
        }

        /// <summary>Waits for two more turns than there were: one that began after that moment has ended.</summary>
        public Task UntilBeyondAsync(int turns) => Eventually.HoldsAsync(() => asking.IsCompleted || Ended > turns + 1, $"{session} to go on");

        public async Task EndAsync()
        {
            await enough.CancelAsync();
            await asking;
            enough.Dispose();
        }

        private async Task AskAsync()
        {
            var asked = world.ClientOf(askedAt);
            while (!enough.IsCancellationRequested)
            {
                var message = (await asked.PromptAsync(session, $"count to {Numbers}", CancellationToken.None)).MessageId;
                messages.Add(message, Numbers);
                await client.UntilEndedAsync(message);
                Interlocked.Increment(ref ended);
            }
        }
    }
}
