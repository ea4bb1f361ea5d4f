using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using Coordinator.Bench.Driving;
using Coordinator.Bench.Measuring;
using Coordinator.Client;

namespace Coordinator.Bench.Scenarios;

/// <summary>
/// A host that is told to stop and started again, with many clients on several sessions: how they come back, that each has every event
/// once, what it costs the host and who prompts meanwhile. Beside it the same restart with nobody to come back, and as the limit of a
/// return a bare server to which as many come at the same moments.
/// </summary>
internal sealed class Storm(TimeProvider time, int clients = 1_000, int sessions = 100) : IScenario
{
    private const string Limit = "a bare server";

    private const string Prompting = "a prompt meanwhile, at the box";

    /// <summary>How many connect at once before the storm.</summary>
    private const int AtOnce = 20;

    private static readonly TimeSpan Bound = TimeSpan.FromMinutes(2);

    private readonly string area = string.Create(CultureInfo.InvariantCulture, $"Restart under {clients:N0} clients of {sessions} sessions");

    public string Name => "storm";

    public async IAsyncEnumerable<Measurement> RunAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var host = await HostProcess.StartRoleAsync("serve");
        var told = new ToldSessions(await MakeAsync(host, cancellationToken), host.ApiKey);
        List<ReturningClient> crowd = [];
        await ConnectAsync(crowd, host, told, cancellationToken);
        await told.RenameAllAsync(host, "before", cancellationToken);
        var gone = await StopAsync(host, told, cancellationToken);
        host = await host.StartAgainAsync();
        var served = Stopwatch.GetTimestamp();
        var storm = await new HostUnderWatch(host, told, time).RunAsync(() => crowd.All(client => client.Present?.Back > gone), Bound, cancellationToken);
        var returns = crowd.ConvertAll(client => client.Present!);
        foreach (var one in Returns(returns, served)) yield return one;
        await told.RenameAllAsync(host, "end", cancellationToken);
        await CheckAsync(crowd, told, cancellationToken);
        var ready = crowd[0].Ready;
        foreach (var client in crowd) await client.DisposeAsync();
        await host.StopAsync();

        await using var alone = await host.StartAgainAsync();
        var quiet = await new HostUnderWatch(alone, told, time).RunAsync(null, storm.Lasted, cancellationToken);
        await foreach (var one in BesideAsync(storm, quiet, returns, ready, cancellationToken)) yield return one;
    }

    private async Task<string[]> MakeAsync(HostProcess host, CancellationToken cancellationToken)
    {
        using var client = host.Client();
        var made = new string[sessions];
        for (var i = 0; i < sessions; i++) made[i] = (await client.CreateSessionAsync(new NewSession(Turn.Model), cancellationToken)).Id;
        return made;
    }

    /// <summary>Every other client is a page, and each session has as many of either.</summary>
    private async Task ConnectAsync(List<ReturningClient> crowd, HostProcess host, ToldSessions told, CancellationToken cancellationToken)
    {
        for (var i = 0; i < clients; i++)
        {
            crowd.Add(new(host, told.Ids[i / 2 % sessions], asPage: i % 2 == 0, time));
            if (i % AtOnce == AtOnce - 1) await UntilAsync(() => crowd.TrueForAll(client => client.Present is not null), "connected", cancellationToken);
        }
    }

    /// <summary>Has it stop while sessions go on being renamed; when nothing of it was left.</summary>
    private static async Task<long> StopAsync(HostProcess host, ToldSessions told, CancellationToken cancellationToken)
    {
        using var over = new CancellationTokenSource();
        var renaming = told.RenameUntilAsync(host, over.Token, cancellationToken);
        await host.StopAsync();
        var gone = Stopwatch.GetTimestamp();
        await over.CancelAsync();
        await renaming;
        return gone;
    }

    private IEnumerable<Measurement> Returns(List<Return> returns, long served)
    {
        var (asked, back) = (Spread.Of(returns.Select(one => one.FirstTry)), Spread.Of(returns.Select(one => one.Back)));
        var (first, last) = (returns.Min(one => one.Lost), returns.Max(one => one.Back));
        yield return new(area, "from the first socket that was closed until the host served again", Stopwatch.GetElapsedTime(first, served).TotalSeconds, "s");
        yield return new(area, "their first tries, from the first to the last", asked.Seconds, "s");
        yield return new(area, "their first tries, most within 100 ms", asked.Most, "clients");
        yield return new(area, "their returns, from the first to the last", back.Seconds, "s");
        yield return new(area, "their returns, most within 100 ms", back.Most, "clients");
        yield return new(area, "from the first socket that was closed until the last client was back", Stopwatch.GetElapsedTime(first, last).TotalSeconds, "s");
        yield return new(area, "from when the host served again until the last client was back", Stopwatch.GetElapsedTime(served, last).TotalSeconds, "s");
        foreach (var (who, asPage) in new[] { ("page", true), ("client of the library", false) })
        {
            var away = Durations(returns.Where(one => one.AsPage == asPage), one => one.Lost);
            yield return new(area, $"a {who} without a connection: p50", away.Percentile(50) / 1_000, "s");
            yield return new(area, $"a {who} without a connection: p99", away.Percentile(99) / 1_000, "s");
        }
    }

    private static Latencies Durations(IEnumerable<Return> returns, Func<Return, long> from)
    {
        var durations = new Latencies();
        foreach (var one in returns) durations.Add(from(one), one.Back);
        return durations;
    }

    private async IAsyncEnumerable<Measurement> BesideAsync(Watched storm, Watched quiet, List<Return> returns, byte[] ready, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var bare = await BareReturns.MeasureAsync(returns, ready, time, cancellationToken);
        var took = Durations(returns, one => one.Tried);
        yield return new(area, "the try that succeeded: p50", took.Percentile(50), "ms");
        yield return new(area, "the try that succeeded: p99", took.Percentile(99), "ms");
        foreach (var one in took.Beside(bare.Took, area, Limit, 50, 99)) yield return one;
        var cpu = (storm.CpuSeconds - quiet.CpuSeconds) * 1_000 / clients;
        yield return new(area, "CPU of host and PostgreSQL, above the same restart with nobody to come back, each", cpu, "ms");
        yield return new(area, $"limit, {Limit}: CPU, each", bare.CpuSeconds * 1_000 / clients, "ms");
        yield return new(area, $"against {Limit}, by CPU time", cpu / (bare.CpuSeconds * 1_000 / clients), "times");
        yield return new(area, "most memory, above the same restart with nobody to come back (PSS)", storm.Megabytes - quiet.Megabytes, "MB");
        yield return new(area, $"limit, {Limit}: most memory above what it had before (PSS)", bare.Megabytes, "MB");
        yield return new(area, $"{Prompting}: p50", storm.Prompts.Percentile(50), "ms");
        yield return new(area, $"{Prompting}: p99", storm.Prompts.Percentile(99), "ms");
        yield return new(area, $"{Prompting}, with nobody to come back: p50", quiet.Prompts.Percentile(50), "ms");
        yield return new(area, $"{Prompting}, with nobody to come back: p99", quiet.Prompts.Percentile(99), "ms");
    }

    /// <summary>That each was told all that its session was told to be, in order: a client itself fails over an event that is missing or comes twice.</summary>
    private async Task CheckAsync(List<ReturningClient> crowd, ToldSessions told, CancellationToken cancellationToken)
    {
        await UntilAsync(() => crowd.TrueForAll(client => client is { Present: not null, Title: "end" }), "told of the end", cancellationToken);
        if (crowd.Find(client => client.Renames < told.Acknowledged[client.Session]) is { } less)
            throw new InvalidOperationException($"A client of {less.Session} was told {less.Renames} times of a new title, and {told.Acknowledged[less.Session]} were acknowledged.");
    }

    private async Task UntilAsync(Func<bool> done, string what, CancellationToken cancellationToken)
    {
        for (var began = Stopwatch.GetTimestamp(); !done();)
        {
            if (Stopwatch.GetElapsedTime(began) > Bound) throw new InvalidOperationException($"Not all clients were {what} within {Bound.TotalSeconds} s.");
            await Task.Delay(TimeSpan.FromMilliseconds(10), time, cancellationToken);
        }
    }
}
