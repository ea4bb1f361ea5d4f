using System.Diagnostics;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Runtime.CompilerServices;
using Coordinator.Bench.Driving;
using Coordinator.Bench.Measuring;
using Coordinator.Bench.Serving;
using Coordinator.Client;

namespace Coordinator.Bench.Scenarios;

/// <summary>A hundred thousand sessions that sleep, in several organizations: what they hold, what a host with nothing to do computes beside them, how fast one wakes and is listed.</summary>
internal sealed class AsleepSessions(TimeProvider time, int asleep = 100_000, int organizations = 8, int wakes = 1_000, int warmUp = 300) : IScenario
{
    /// <summary>Sessions of each organization that are made over the API and copied: some were only made and named, some have had a turn.</summary>
    private const int Named = 20, Worked = 5;

    private const int Texts = 20;

    private const int Lists = 300;

    private const int Looks = 10;

    private const int WakeTurns = 10;

    private const string Area = "100,000 hibernated sessions";

    private const string Listing = "List of sessions, 50 from anywhere in 100,000";

    private static readonly TimeSpan Bound = TimeSpan.FromMinutes(1);

    private static readonly TimeSpan Idle = TimeSpan.FromSeconds(8);

    /// <summary>Of so many the least counts, or the first that is quiet: before, the runtime compiles what was just used, and the database tidies up what was just written.</summary>
    private const int Idles = 4;

    private const double QuietCpu = 10; // ms in a second

    /// <summary>So that which sessions are woken is the same in every run.</summary>
    private readonly Random random = new(20261122);

    public string Name => "asleep";

    public async IAsyncEnumerable<Measurement> RunAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using var host = await HostProcess.StartRoleAsync("serve", "--Sessions:Host:HibernateAfter=00:00:01", BenchHost.BoxesStopSoon);
        await using var clones = await SessionClones.OpenAsync(host, cancellationToken);
        using var http = host.Http();
        var made = await MakeAsync(host, cancellationToken);
        await host.AsleepAsync(time, cancellationToken);
        await Latencies.InTurnsAsync(1, made.Count, Waking(http, made, made.Count, cancellationToken));
        await ListAsync(http, made, cancellationToken);
        var few = await StandAsync(host, cancellationToken);

        var began = Stopwatch.GetTimestamp();
        var sessions = (await clones.AddAsync(made, (asleep - made.Count) / made.Count, cancellationToken)).Concat(made).ToList();
        await Console.Error.WriteLineAsync($"  {sessions.Count - made.Count:#,0} of {sessions.Count:#,0} sessions in {organizations} organizations were copied in {Stopwatch.GetElapsedTime(began).TotalSeconds:0.0} s");
        if (await clones.CountAsleepAsync(cancellationToken) is var found && found != asleep) throw new InvalidOperationException($"{found} sessions sleep, of {asleep}.");
        var many = await StandAsync(host, cancellationToken);
        yield return new(Area, "live heap of the host, more than before them", (many.Managed - few.Managed) / 1024.0, "KB", 100);
        yield return new(Area, "the host, more than before them (PSS)", many.Host - few.Host, "MB");
        yield return new(Area, "PostgreSQL, whose 64 MB of buffers fill (PSS)", many.Database - few.Database, "MB");
        yield return new(Area, "CPU of host and PostgreSQL with nothing to do", many.Cpu, "ms/s");
        yield return new(Area, "the same before them", few.Cpu, "ms/s");
        yield return new(Area, "CPU of a look through them for events to merge, every 10 minutes", await LookAsync(host, cancellationToken), "ms");

        var listed = await ListAsync(http, sessions, cancellationToken);
        yield return new(Listing, "p50", listed.Percentile(50), "ms");
        yield return new(Listing, "p99", listed.Percentile(99), "ms");
        await foreach (var one in WakeAsync(host, http, sessions, cancellationToken)) yield return one;
        await ConverseAsync(host, sessions[random.Next(sessions.Count - made.Count)], cancellationToken);
        var after = await host.AsleepAsync(time, cancellationToken);
        yield return new(Area, "live heap of the host, once those that woke sleep again", (after.Managed - few.Managed) / 1024.0, "KB");
    }

    /// <summary>What a host holds, in bytes of its live heap and in MB, and computes, in ms a second, with all of its sessions asleep.</summary>
    private sealed record Stand(long Managed, double Host, double Database, double Cpu);

    private async Task<Stand> StandAsync(HostProcess host, CancellationToken cancellationToken)
    {
        await host.AsleepAsync(time, cancellationToken);
        var computed = double.MaxValue;
        for (var i = 0; i < Idles && computed > QuietCpu; i++)
        {
            var (cpu, began) = (host.CpuSeconds(), Stopwatch.GetTimestamp());
            await Task.Delay(Idle, time, cancellationToken);
            computed = Math.Min(computed, (host.CpuSeconds() - cpu) * 1_000 / Stopwatch.GetElapsedTime(began).TotalSeconds);
        }

        var memory = await host.MemoryAsync(cancellationToken);
        var database = host.DatabaseMegabytes();
        return new(memory.Managed, host.Megabytes() - database, database, computed);
    }

    private static async Task<double> LookAsync(HostProcess host, CancellationToken cancellationToken)
    {
        var cpu = host.CpuSeconds();
        for (var i = 0; i < Looks; i++) await host.LookAsync(cancellationToken);
        return (host.CpuSeconds() - cpu) * 1_000 / Looks;
    }

    private async Task<List<OwnedSession>> MakeAsync(HostProcess host, CancellationToken cancellationToken)
    {
        var keys = new List<string> { host.ApiKey };
        using (var client = host.Client())
        {
            var home = (await client.MeAsync(cancellationToken)).Organization.Id;
            for (var i = 1; i < organizations; i++)
                keys.Add(await host.Owner.NewKeyAsync(await host.Owner.NewOrganizationAsync(home, $"Organization {i}", cancellationToken), cancellationToken));
        }

        var made = new List<OwnedSession>();
        foreach (var key in keys)
        {
            for (var i = 0; i < Named; i++) made.Add(await NamedAsync(host, key, cancellationToken));
            for (var i = 0; i < Worked; i++) made.Add(await WorkedAsync(host, key, cancellationToken));
        }

        return made;
    }

    private static async Task<OwnedSession> NamedAsync(HostProcess host, string key, CancellationToken cancellationToken)
    {
        using var client = new CoordinatorClient(host.Url, key);
        using var http = host.Http();
        var session = new OwnedSession((await client.CreateSessionAsync(new NewSession(Turn.Model), cancellationToken)).Id, key);
        await RenameAsync(http, session, "made", cancellationToken);
        return session;
    }

    private static async Task<OwnedSession> WorkedAsync(HostProcess host, string key, CancellationToken cancellationToken)
    {
        using var client = new CoordinatorClient(host.Url, key);
        var session = new OwnedSession((await client.CreateSessionAsync(new NewSession(Turn.Model, Prompt: "begin"), cancellationToken)).Id, key);
        await AnswerAsync(host, cancellationToken);
        return session;
    }

    /// <summary>Plays the next box that the host wants until it has answered; the host stops it a second later.</summary>
    private static async Task AnswerAsync(HostProcess host, CancellationToken cancellationToken)
    {
        await using var box = await SimulatedBox.ConnectAsync(host.Url, await host.NextBoxAsync(cancellationToken), cancellationToken);
        var message = (await box.NextPromptAsync(cancellationToken).AsTask().WaitAsync(Bound, cancellationToken)).MessageId;
        await box.SendAsync("message.accepted", message, "{}", cancellationToken);
        var speech = new SampleSpeech(length: 100);
        for (var i = 0; i < Texts; i++) await box.SendAsync("agent.text", message, speech.Next(), cancellationToken);
        await box.SendAsync("message.ended", message, """{"outcome":"completed"}""", cancellationToken);
        await box.AllAcknowledgedAsync(cancellationToken);
    }

    /// <summary>Wakes when none is in memory, turn by turn with their limit, a bare POST that looks at one of as many rows and inserts another.</summary>
    private async IAsyncEnumerable<Measurement> WakeAsync(HostProcess host, HttpClient http, List<OwnedSession> sessions, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using var store = await StoreCaller.StartAsync(time, cancellationToken);
        using var bare = store.Process.Http();
        var rows = Picked(await store.FillAsync(sessions.Count, cancellationToken), wakes + warmUp);
        Func<Task> look = () => StoreCaller.LookAndAddAsync(bare, rows.Dequeue(), cancellationToken);
        await Latencies.InTurnsAsync(1, warmUp, look);
        await host.AsleepAsync(time, cancellationToken);
        var took = await Latencies.InTurnsAsync(WakeTurns, wakes / WakeTurns, Waking(http, sessions, wakes, cancellationToken), look);
        yield return new("Wake of a hibernated session", "p50", took[0].Percentile(50), "ms");
        yield return new("Wake of a hibernated session", "p99", took[0].Percentile(99), "ms", 25);
        foreach (var one in took[0].Beside(took[1], "Wake of a hibernated session", "a bare POST, SELECT and insert", 50, 99)) yield return one;
    }

    /// <summary>A command to the next of sessions picked at random, over HTTP.</summary>
    private Func<Task> Waking(HttpClient http, List<OwnedSession> sessions, int count, CancellationToken cancellationToken)
    {
        var picked = Picked(sessions, count);
        return () => RenameAsync(http, picked.Dequeue(), "awake", cancellationToken);
    }

    /// <summary>Each is another, for one that was picked before may be awake still.</summary>
    private Queue<T> Picked<T>(IReadOnlyList<T> all, int count)
    {
        var places = Enumerable.Range(0, all.Count).ToArray();
        random.Shuffle(places);
        return new(places.Take(count).Select(place => all[place]));
    }

    /// <summary>Pages of the lists of all organizations, from behind a session picked at random.</summary>
    private async Task<Latencies> ListAsync(HttpClient http, List<OwnedSession> sessions, CancellationToken cancellationToken) => (await Latencies.InTurnsAsync(1, Lists, async () =>
    {
        var session = sessions[random.Next(sessions.Count)];
        using var answer = await SendAsync(http, HttpMethod.Get, $"/v1/sessions?limit=50&cursor={session.Id}", session, null, cancellationToken);
        await answer.Content.ReadAsByteArrayAsync(cancellationToken);
    }))[0];

    /// <summary>That a copy is a session like any other: it is read, takes a prompt, gets a box, and its answer is read.</summary>
    private static async Task ConverseAsync(HostProcess host, OwnedSession session, CancellationToken cancellationToken)
    {
        using var client = new CoordinatorClient(host.Url, session.Key);
        var before = (await client.GetSessionAsync(session.Id, cancellationToken)).Messages.Count;
        var message = (await client.PromptAsync(session.Id, "go on", cancellationToken)).MessageId;
        await AnswerAsync(host, cancellationToken);
        var (now, events) = (await client.GetSessionAsync(session.Id, cancellationToken), await client.ListEventsAsync(session.Id, null, 500, cancellationToken));
        if (now.Id != session.Id || now.Messages.Count != before + 1 || now.Messages[^1] is not { Status: "completed" } last || last.Id != message) throw new InvalidOperationException($"{session.Id} does not go on: {now}");
        if (!events.Items.Any(one => one.MessageId == message && one.Type == "agent.text")) throw new InvalidOperationException($"What {session.Id} was answered cannot be read.");
    }

    private static async Task RenameAsync(HttpClient http, OwnedSession session, string title, CancellationToken cancellationToken)
    {
        using var answer = await SendAsync(http, HttpMethod.Patch, $"/v1/sessions/{session.Id}", session, title, cancellationToken);
    }

    private static async Task<HttpResponseMessage> SendAsync(HttpClient http, HttpMethod method, string path, OwnedSession session, string? title, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(method, path);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", session.Key);
        if (title is not null) request.Content = JsonContent.Create(new Dictionary<string, string>(StringComparer.Ordinal) { ["title"] = title });
        return (await http.SendAsync(request, cancellationToken).WaitAsync(Bound, cancellationToken)).EnsureSuccessStatusCode();
    }
}
