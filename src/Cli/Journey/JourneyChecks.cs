using System.Diagnostics;
using System.Net;
using Coordinator.Client;

namespace Coordinator.Cli.Journey;

/// <summary>The ten checks, in order; each builds on the session of those before it.</summary>
internal static class JourneyChecks
{
    private static readonly TimeSpan Boot = TimeSpan.FromSeconds(90);
    private static readonly TimeSpan Turn = TimeSpan.FromSeconds(60);

    public static IReadOnlyList<JourneyCheck> All { get; } =
    [
        new(1, "the box is requested, boots, dials back and is authenticated by its token", BootAsync),
        new(2, "a prompt streams text and completes", StreamAsync),
        new(3, "prompts sent while busy run in order and see the earlier turn", QueueAsync),
        new(4, "a real shell tool runs in the box and its output comes back", ToolAsync),
        new(5, "discovery names the package manager, the file count and the install command", DiscoverAsync),
        new(6, "the run history holds each run with tenant, tokens, cost and events", HistoryAsync),
        new(7, "a client that drops mid-stream resumes with no gap and no duplicate", ResumeAsync),
        new(8, "stop cancels a running tool within a second", CancelAsync),
        new(9, "a host killed mid-turn comes back and the turn goes on in the same box", HostCrashAsync),
        new(10, "after archive no live process of the session is left", ArchiveAsync),
    ];

    private static async Task BootAsync(JourneyRun run, CancellationToken ct)
    {
        await run.StartSessionAsync(ct);
        var message = await run.PromptAsync("hello", ct);
        foreach (var type in new[] { "sandbox.requested", "sandbox.connected", "sandbox.ready" })
            await run.WaitAsync(type, e => e.Type == type || e.Type is "message.failed", Boot, ct);
        await run.EndAsync(message, "message.completed", Turn, ct);
        await RefusesForgedTokenAsync(run, ct);
    }

    private static async Task RefusesForgedTokenAsync(JourneyRun run, CancellationToken ct)
    {
        var session = await run.Client.GetSessionAsync(run.Session.Id, ct);
        var me = await run.Client.MeAsync(ct);
        using var http = new HttpClient(HostConnections.Pooled());
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(run.Client.Url, "/v1/bridge"));
        request.Headers.Authorization = new("Bearer", $"sb_{me.Organization.Id}.{session.Id}.{session.Sandbox.Id}.{session.Sandbox.Generation}.{new string('A', 43)}");
        using var answer = await http.SendAsync(request, ct);
        if (answer.StatusCode != HttpStatusCode.Unauthorized) throw new JourneyException("401 for a forged box token", $"{(int)answer.StatusCode}");
    }

    private static async Task StreamAsync(JourneyRun run, CancellationToken ct)
    {
        var message = await run.PromptAsync("count to 40", ct);
        await run.EndAsync(message, "message.completed", Turn, ct);
        var deltas = run.EventsOf(message).Count(e => e.Type == "agent.text");
        if (deltas < 3) throw new JourneyException("text in at least 3 deltas", $"{deltas}");
        Contains(run.TextOf(message), "39 40");
    }

    private static async Task QueueAsync(JourneyRun run, CancellationToken ct)
    {
        var busy = await run.PromptAsync("count to 60", ct);
        var second = await run.PromptAsync("what did I ask before?", ct);
        var third = await run.PromptAsync("repeat my first message", ct);
        await run.EndAsync(third, "message.completed", Turn, ct);
        var starts = run.Log.Snapshot().Where(e => e.Type == "message.started").Select(e => e.MessageId).TakeLast(3).ToList();
        if (!starts.SequenceEqual([busy, second, third])) throw new JourneyException($"starts {busy}, {second}, {third}", string.Join(", ", starts));
        Contains(run.TextOf(second), "count to 60");
        Contains(run.TextOf(third), "hello");
    }

    private static async Task ToolAsync(JourneyRun run, CancellationToken ct)
    {
        var message = await run.PromptAsync("run `echo coordinator-$((40+2)) && uname -s && id -u`", ct);
        await run.EndAsync(message, "message.completed", Turn, ct);
        var tool = run.EventsOf(message).LastOrDefault(e => e.Type == "tool.completed") ?? throw new JourneyException("a tool.completed event", "none");
        Contains(tool.Text("output") ?? string.Empty, "coordinator-42");
    }

    private static async Task DiscoverAsync(JourneyRun run, CancellationToken ct)
    {
        if (run.Options.Repository is not { } repository) throw new JourneyException("a repository (--repository)", "none");
        run.Step = "the environment to be detected";
        var found = await run.Client.DetectEnvironmentAsync(repository, ct);
        if (found.PackageManager != "npm" || found.FileCount == 0 || found.Commands.Install != "npm install")
            throw new JourneyException("npm, files and `npm install`", $"{found.PackageManager}, {found.FileCount} files, `{found.Commands.Install}`");
    }

    private static async Task HistoryAsync(JourneyRun run, CancellationToken ct)
    {
        var ended = run.Log.Snapshot().Where(JourneyRun.IsEnd).Select(e => e.MessageId!).ToList();
        foreach (var message in ended) await run.WaitAsync($"run.flushed of {message}", e => e.Type == "run.flushed" && e.MessageId == message, Turn, ct);
        var runs = (await run.Client.ListRunsAsync(run.Session.Id, ct)).Items.OrderBy(r => r.Ordinal).ToList();
        if (!runs.Select(r => r.Message).SequenceEqual(ended)) throw new JourneyException($"runs of {ended.Count} messages in order", string.Join(", ", runs.Select(r => r.Message)));
        var me = await run.Client.MeAsync(ct);
        for (var i = 0; i < runs.Count; i++)
        {
            var (r, previous) = (runs[i], i == 0 ? null : runs[i - 1].Hash);
            if (r.Organization != me.Organization.Id || r.Usage.InputTokens == 0 || r.Usage.OutputTokens == 0 || r.Usage.CostUsd < 0 || r.FirstSeq >= r.LastSeq)
                throw new JourneyException("tenant, tokens, cost and events in each run", r.ToString());
            if (previous is not null && r.PreviousHash != previous) throw new JourneyException($"run {r.Ordinal} chained to {previous}", r.PreviousHash);
        }
    }

    private static async Task ResumeAsync(JourneyRun run, CancellationToken ct)
    {
        var from = run.Log.Cursor;
        var message = await run.PromptAsync("count to 80", ct);
        IReadOnlyList<SessionEvent> first;
        string? cursor;
        await using (var dropping = new EventLog(run.Client, run.Session.Id, from))
        {
            await dropping.WaitAsync("a first delta", e => e.MessageId == message && e.Type == "agent.text", Turn, ct);
            (first, cursor) = (dropping.Snapshot(), dropping.Cursor);
        }

        first = [.. first.TakeWhile(e => e.Cursor != cursor), .. first.Where(e => e.Cursor == cursor)];
        await using var resumed = new EventLog(run.Client, run.Session.Id, cursor);
        var end = await resumed.WaitAsync("the end of the turn", e => e.MessageId == message && JourneyRun.IsEnd(e), Turn, ct);
        await run.EndAsync(message, "message.completed", Turn, ct);
        var together = first.Concat(resumed.Snapshot()).Where(e => e.Seq <= end.Seq).Select(e => e.Seq).ToList();
        var whole = run.Log.Snapshot().Where(e => e.Seq >= together[0] && e.Seq <= end.Seq).Select(e => e.Seq).ToList();
        if (!together.SequenceEqual(whole)) throw new JourneyException($"events {whole[0]} to {whole[^1]} once each", $"{together.Count} events for {whole.Count}");
    }

    private static async Task CancelAsync(JourneyRun run, CancellationToken ct)
    {
        var message = await run.PromptAsync("run `sleep 300`", ct);
        await run.WaitAsync("the tool to start", e => e.MessageId == message && e.Type == "tool.started", Turn, ct);
        var began = Stopwatch.GetTimestamp();
        run.Step = "the cancel to be taken";
        await run.Client.CancelAsync(run.Session.Id, message, ct);
        await run.EndAsync(message, "message.cancelled", TimeSpan.FromSeconds(20), ct);
        var took = Stopwatch.GetElapsedTime(began);
        var longest = run.Options.LongestStop;
        if (took > longest) throw new JourneyException($"cancelled within {longest.TotalSeconds:0} s", $"{took.TotalMilliseconds:0} ms");
        var next = await run.PromptAsync("run `echo still here`", ct);
        await run.EndAsync(next, "message.completed", Turn, ct);
    }

    private static async Task HostCrashAsync(JourneyRun run, CancellationToken ct)
    {
        if (run.Options.Host is not { } host) throw new JourneyException("a host that the journey may kill (--host-pid-file and --host-start)", "none");
        var box = (await run.Client.GetSessionAsync(run.Session.Id, ct)).Sandbox.Id;
        var message = await run.PromptAsync("count slowly to 30", ct);
        await run.WaitAsync("the turn to stream", e => e.MessageId == message && e.Type == "agent.text", Turn, ct);
        run.Step = "the host to be killed";
        await host.KillAsync(ct);
        run.Step = "the host to be started";
        await host.StartAsync(ct);
        await run.EndAsync(message, "message.completed", TimeSpan.FromSeconds(120), ct);
        Contains(run.TextOf(message), "29 30");
        var events = run.EventsOf(message);
        if (events.Count(e => e.Type is "message.dispatched") != 1 || events.Count(e => e.Type is "message.started") != 1)
            throw new JourneyException("the prompt dispatched and started once", string.Join(", ", events.Select(e => e.Type).Distinct()));
        var seqs = run.Log.Snapshot().Select(e => e.Seq).ToList();
        if (!seqs.SequenceEqual(Enumerable.Range(1, seqs.Count).Select(i => (long)i))) throw new JourneyException("a log without gap or duplicate", "one with");
        var now = (await run.Client.GetSessionAsync(run.Session.Id, ct)).Sandbox;
        if (now.Id != box || now.Status != "ready") throw new JourneyException($"the same box {box}, ready", $"{now.Id}, {now.Status}");
    }

    private static async Task ArchiveAsync(JourneyRun run, CancellationToken ct)
    {
        run.Step = "the session to be archived";
        await run.Client.ArchiveAsync(run.Session.Id, ct);
        await run.WaitAsync("sandbox.stopped", e => e.Type == "sandbox.stopped", TimeSpan.FromSeconds(30), ct);
        if (!run.Options.SameMachine) return;
        var left = SessionProcesses.Find(run.Session.Id);
        if (left.Count > 0) throw new JourneyException("no process of the session", string.Join(", ", left));
    }

    private static void Contains(string text, string wanted)
    {
        if (!text.Contains(wanted, StringComparison.OrdinalIgnoreCase)) throw new JourneyException($"'{wanted}'", $"'{(text.Length > 300 ? text[^300..] : text)}'");
    }
}
