using System.Globalization;
using System.Text.Json;
using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Coordinator.Ports.Session;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Coordinator.Modules.Sandboxes.Provisioning;

/// <summary>
/// Every minute: no box of this deployment runs, and no data of one is kept, without a session that wants it. It acts
/// only on what a listing shows, never on what it does not; one box that cannot be ended does not keep it from the next.
/// A session that is not known may be in a database that is about to be put back: its box ends, its data waits
/// (<see cref="SandboxesOptions.KeepUnknownData"/>).
/// The other direction (a session whose box is gone) is the session's own: it inspects a box that has gone quiet.
/// </summary>
internal sealed partial class OrphanSweep(
    ISandboxProvider provider,
    ISessionHost sessions,
    IBoxTokenScheme tokens,
    IOptions<SandboxesOptions> options,
    TimeProvider time,
    ILogger<OrphanSweep> logger) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    /// <summary>Younger boxes are left alone unless their session is gone: their session may not have heard of them yet.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromMinutes(2);

    /// <summary>Nobody waits for the room that is left behind: each kept workspace is looked at in one minute of these, which its id says.</summary>
    private const int LookAtDataEvery = 60;

    /// <summary>A part of the provider that cannot be listed is waited for so long; beyond it its minutes come again an hour later.</summary>
    private const int LongestLate = 10;

    /// <summary>The minutes of kept data that the sweep looks at: those after the first and up to the second.</summary>
    private (long After, long UpTo) minutes;

    /// <summary>When a running box was first found that its session does not want. A provider's clock that is ahead of ours makes no box younger.</summary>
    private readonly Dictionary<SandboxHandle, long> unwantedSince = [];

    /// <summary>
    /// Since when no look at a box found its session. Lost with the process, and so the time begins anew: the age that a
    /// provider tells would not do, since most workspaces are older than the mistake that hides their sessions.
    /// </summary>
    private readonly Dictionary<SandboxHandle, long> unknownSince = [];

    /// <summary>What is to become of a box.</summary>
    private enum Verdict
    {
        /// <summary>Its session wants it, cannot be asked, or has not heard yet which of two it has.</summary>
        Leave,
        /// <summary>Its session does not want it, and may still want the data.</summary>
        End,
        /// <summary>Its session is archived, or has been unknown for long.</summary>
        Remove,
    }

    /// <summary>One sweep; returns how many boxes were destroyed.</summary>
    public async ValueTask<int> SweepAsync(CancellationToken cancellationToken)
    {
        var (found, isWhole) = await ListAsync(cancellationToken);
        var minute = (long)(time.GetUtcNow() - DateTimeOffset.UnixEpoch).TotalMinutes;
        minutes = (Math.Clamp(minutes.After, minute - LongestLate, minute), minute);
        if (isWhole) Forget(found);
        var running = found.Where(listing => listing.Status is SandboxStatus.Running).Select(listing => listing.Handle).ToHashSet();
        var destroyed = 0;
        foreach (var listing in found)
        {
            if (await SweepOneAsync(listing, running, cancellationToken)) destroyed++;
        }

        if (isWhole) minutes.After = minute;
        return destroyed;
    }

    /// <summary>What can be listed; a part of the provider that does not answer does not keep the rest from being swept.</summary>
    private async ValueTask<(IReadOnlyList<SandboxListing> Found, bool IsWhole)> ListAsync(CancellationToken cancellationToken)
    {
        List<SandboxListing> found = [];
        Dictionary<string, string> labels = new(StringComparer.Ordinal) { [SandboxLabels.Deployment] = options.Value.Deployment };
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(options.Value.ProviderSeconds), time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        try
        {
            await foreach (var listing in provider.ListAsync(labels, either.Token)) found.Add(listing);
            return (found, true);
        }
        catch (Exception failure) when (failure is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            // Whatever it was: a background service that throws takes its whole host down.
            LogListingFailed(found.Count, failure);
            return (found, false);
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            await SweepAsync(stoppingToken);
        }
    }

    private async ValueTask<bool> SweepOneAsync(SandboxListing listing, HashSet<SandboxHandle> running, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(options.Value.ProviderSeconds), time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        try
        {
            var verdict = await JudgeAsync(listing, running, either.Token);
            if (verdict is Verdict.Leave || (verdict is Verdict.End && listing.Status is not SandboxStatus.Running)) return false;
            await provider.DestroyAsync(listing.Handle, keepData: verdict is Verdict.End, either.Token);
            unwantedSince.Remove(listing.Handle);
            LogSwept(listing.Handle.Id, verdict);
            return true;
        }
        catch (Exception failure) when (failure is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            LogBoxFailed(listing.Handle.Id, failure);
            return false;
        }
    }

    private async ValueTask<Verdict> JudgeAsync(SandboxListing listing, HashSet<SandboxHandle> running, CancellationToken cancellationToken)
    {
        if (Read(listing.Labels) is not { } box)
        {
            LogUnreadable(listing.Handle.Id);
            return Verdict.Leave;
        }

        // Nobody acts on what does not run: its session is looked at, not asked to decide, which would wake it and write a record each time.
        if (listing.Status is not SandboxStatus.Running) return IsDataDue(listing) ? await LookAsync(box.Key, listing, cancellationToken) ?? Verdict.Leave : Verdict.Leave;
        var credential = new BoxCredential(box.Sandbox, box.Generation, tokens.HashFor(box.Key, box.Sandbox, box.Generation));
        var answer = await sessions.CallAsync(box.Key, new SessionCommand.AuthorizeBox(credential), cancellationToken);
        if (answer.IsSuccess)
        {
            unknownSince.Remove(listing.Handle);
            return IsCopy(listing, running, answer.Value) ? Verdict.End : Verdict.Leave;
        }

        if (answer.Problem.Kind is ProblemKind.NotFound) return OfUnknown(listing);
        return await LookAsync(box.Key, listing, cancellationToken) ?? (IsPastGrace(listing) ? Verdict.End : Verdict.Leave);
    }

    private bool IsPastGrace(SandboxListing listing)
    {
        if (!unwantedSince.TryGetValue(listing.Handle, out var since)) since = unwantedSince[listing.Handle] = time.GetTimestamp();
        return time.GetUtcNow() - listing.CreatedAt >= Grace || time.GetElapsedTime(since) >= Grace;
    }

    /// <summary>
    /// The session wants this box, and has it elsewhere: it runs on two machines. Which of them the session has, it says
    /// itself; while it has not heard of either, both may be the one. And where the one that it names does not run, this one may be all that it has: a create that
    /// came late made it behind the end of the other, which a database that was put back does not know of.
    /// </summary>
    private static bool IsCopy(SandboxListing listing, HashSet<SandboxHandle> running, SessionReply reply) =>
        reply is SessionReply.BoxAuthorized { Handle: { } its } && its != listing.Handle && running.Contains(its);

    /// <summary>Null: the session is there, or cannot be asked.</summary>
    private async ValueTask<Verdict?> LookAsync(SessionKey key, SandboxListing listing, CancellationToken cancellationToken)
    {
        var answer = await sessions.CallAsync(key, new SessionCommand.GetView(), cancellationToken);
        if (!answer.IsSuccess) return answer.Problem.Kind is ProblemKind.NotFound ? OfUnknown(listing) : null;
        unknownSince.Remove(listing.Handle);
        return answer.Value is SessionReply.View view && StatusOf(view.Session) == "archived" ? Verdict.Remove : null;
    }

    private Verdict OfUnknown(SandboxListing listing)
    {
        var keep = options.Value.KeepUnknownData;
        if (!unknownSince.TryGetValue(listing.Handle, out var since))
        {
            since = unknownSince[listing.Handle] = time.GetTimestamp();
            LogUnknown(listing.Handle.Id, keep);
        }

        return time.GetElapsedTime(since) >= keep ? Verdict.Remove : Verdict.End;
    }

    private static string? StatusOf(SessionView view)
    {
        using var document = JsonDocument.Parse(view.Json);
        return document.RootElement.TryGetProperty("status", out var status) ? status.GetString() : null;
    }

    private bool IsDataDue(SandboxListing listing)
    {
        var its = listing.Handle.Id.Sum(character => character) % LookAtDataEvery;
        return (minutes.UpTo - its) % LookAtDataEvery < minutes.UpTo - minutes.After;
    }

    private void Forget(IEnumerable<SandboxListing> found)
    {
        var ids = found.Select(listing => listing.Handle.Id).ToHashSet(StringComparer.Ordinal);
        foreach (var handle in unwantedSince.Keys.Where(handle => !ids.Contains(handle.Id)).ToList()) unwantedSince.Remove(handle);
        foreach (var handle in unknownSince.Keys.Where(handle => !ids.Contains(handle.Id)).ToList()) unknownSince.Remove(handle);
    }

    private static (SessionKey Key, SandboxId Sandbox, int Generation)? Read(IReadOnlyDictionary<string, string> labels) =>
        OrganizationId.TryParse(labels.GetValueOrDefault(SandboxLabels.Organization), out var organization)
        && SessionId.TryParse(labels.GetValueOrDefault(SandboxLabels.Session), out var session)
        && SandboxId.TryParse(labels.GetValueOrDefault(SandboxLabels.Sandbox), out var sandbox)
        && int.TryParse(labels.GetValueOrDefault(SandboxLabels.Generation), NumberStyles.None, CultureInfo.InvariantCulture, out var generation)
            ? (new(organization, session), sandbox, generation)
            : null;

    [LoggerMessage(5311, LogLevel.Warning, "Box {Box} had no session that wants it and was destroyed ({Verdict}).")]
    private partial void LogSwept(string box, Verdict verdict);

    [LoggerMessage(5312, LogLevel.Warning, "Box {Box} could not be swept; it is tried again.")]
    private partial void LogBoxFailed(string box, Exception failure);

    [LoggerMessage(5313, LogLevel.Warning, "Not all boxes could be listed: {Found} were, and are swept; the others in a minute.")]
    private partial void LogListingFailed(int found, Exception failure);

    [LoggerMessage(5314, LogLevel.Error, "Box {Box} has labels that cannot be read; it is left alone.")]
    private partial void LogUnreadable(string box);

    [LoggerMessage(5315, LogLevel.Warning, "Box {Box} is of a session that the database does not know. It does not run on; its data is kept for {Keep}, in case that the database is not the right one.")]
    private partial void LogUnknown(string box, TimeSpan keep);
}
