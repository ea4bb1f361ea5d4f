using System.Runtime.CompilerServices;
using Coordinator.Adapters.LocalSandbox.Launch;
using Coordinator.Adapters.LocalSandbox.Layout;
using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Coordinator.Adapters.LocalSandbox;

/// <summary>
/// Boxes on the host's own machine, isolated by bubblewrap. They are nobody's children and outlive the host; everything
/// known of them stands on disk, so the next host process of this machine (or another one beside this) sees the same.
/// </summary>
internal sealed partial class LocalSandboxProvider(
    LocalMachineSetup setup,
    ProgramStaging staging,
    DataRemoval removal,
    IOptions<LocalSandboxOptions> options,
    TimeProvider time,
    ILogger<LocalSandboxProvider> logger) : ISandboxProvider
{
    public const string ProviderName = "local";

    private readonly LocalSandboxOptions options = options.Value;

    public string Name => ProviderName;

    public SandboxCapabilities Capabilities => new(KeepsData: true, Snapshots: false, EnforcesMemory: true, EnforcesEgress: !options.AllowUnisolated);

    /// <summary>There is one machine: this.</summary>
    public ValueTask<string?> PlaceAsync(SandboxSpec spec, CancellationToken cancellationToken) => ValueTask.FromResult<string?>(null);

    public async ValueTask<SandboxHandle> CreateAsync(SandboxSpec spec, CancellationToken cancellationToken)
    {
        if (Capabilities.Lacks(spec.Requires) is [_, ..] lacking)
            throw new PortException(PortFailureKind.Incapable, $"A box must be able to do {string.Join(", ", lacking)}, which boxes of this machine cannot as it is set up.");
        if (!options.Agents.ContainsKey(spec.Agent))
            throw new PortException(PortFailureKind.Rejected, $"The agent '{spec.Agent}' is not installed here; configured are: {string.Join(", ", options.Agents.Keys.Order())}.");
        try
        {
            return await MakeAsync(spec, cancellationToken);
        }
        catch (Exception e) when (DiskFailure.Is(e))
        {
            throw DiskFailure.Of(e, "The box could not be made", effectMayHaveHappened: true);
        }
    }

    public async ValueTask<SandboxInspection> InspectAsync(SandboxHandle handle, CancellationToken cancellationToken)
    {
        try
        {
            var machine = await setup.ReadyAsync(cancellationToken);
            if (!IsHere(machine, handle)) return new(SandboxStatus.Unreachable, $"It lives on {handle.Node}.");
            return new BoxRecords(machine.Paths).Find(AddressOf(handle)) is { } record ? new BoxObserver(machine).Observe(record) : new(SandboxStatus.NotFound, null);
        }
        catch (Exception e) when (DiskFailure.Is(e))
        {
            throw DiskFailure.Of(e, "The box could not be looked at");
        }
    }

    public async IAsyncEnumerable<SandboxListing> ListAsync(IReadOnlyDictionary<string, string> labels, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var (machine, sessions) = await SessionsAsync(labels, cancellationToken);
        PortException? untold = null;
        foreach (var session in sessions)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var (found, failure) = ListingsOf(machine, session, labels);
            foreach (var listing in found) yield return listing;
            untold ??= failure;
        }

        if (untold is not null) throw untold;
    }

    public async ValueTask DestroyAsync(SandboxHandle handle, bool keepData, CancellationToken cancellationToken)
    {
        try
        {
            await RemoveAsync(handle, keepData, cancellationToken);
        }
        catch (Exception e) when (DiskFailure.Is(e))
        {
            throw DiskFailure.Of(e, "The box could not be destroyed", effectMayHaveHappened: true);
        }
    }

    private async ValueTask<SandboxHandle> MakeAsync(SandboxSpec spec, CancellationToken cancellationToken)
    {
        var machine = await setup.ReadyAsync(cancellationToken);
        if (spec.Node is not null && spec.Node != machine.Node) throw new PortException(PortFailureKind.Unavailable, $"The box is to be made on {spec.Node}; this is {machine.Node}.");
        var box = new BoxAddress(spec.Session, spec.Sandbox);
        using var held = await SessionLock.AcquireAsync(machine.Paths.LockOf(spec.Session), time, cancellationToken);
        var records = new BoxRecords(machine.Paths);
        if (records.Find(box) is { } known && new BoxObserver(machine).HasBegun(known)) return HandleOf(machine, box);
        var older = await EndOlderAsync(machine, records, spec, cancellationToken);
        DemandRoom(machine, records, box);
        var record = NewRecord(machine, spec);
        BoxDirectories.MakeBox(machine, box);
        records.Write(record);

        // Only now, so that the session's data is never without a record.
        foreach (var ended in older) Forget(machine, ended);
        await LaunchAsync(machine, record, spec, cancellationToken);
        return HandleOf(machine, box);
    }

    private async ValueTask<(LocalMachine Machine, IReadOnlyList<SessionId> Sessions)> SessionsAsync(IReadOnlyDictionary<string, string> labels, CancellationToken cancellationToken)
    {
        try
        {
            var machine = await setup.ReadyAsync(cancellationToken);
            return (machine, [.. new BoxRecords(machine.Paths).Sessions().Where(session => IsAskedFor(labels, SandboxLabels.Session, session.ToString()))]);
        }
        catch (Exception e) when (DiskFailure.Is(e))
        {
            throw DiskFailure.Of(e, "The boxes could not be listed");
        }
    }

    /// <summary>What is not asked for is not read: one box's files that fail are the trouble of who asks for it alone.</summary>
    private static bool IsAskedFor(IReadOnlyDictionary<string, string> labels, string label, string value) => !labels.TryGetValue(label, out var asked) || asked == value;

    /// <summary>Of a damaged record some labels are not known: the box is told to whoever may mean it, rather than to nobody.</summary>
    private static bool Matches(BoxRecord record, IReadOnlyDictionary<string, string> labels) =>
        labels.All(label => record.Labels.TryGetValue(label.Key, out var value) ? value == label.Value : record.IsDamaged);

    /// <summary>The boxes of one session; those of another are told also when these cannot be.</summary>
    private static (IReadOnlyList<SandboxListing> Found, PortException? Failure) ListingsOf(LocalMachine machine, SessionId session, IReadOnlyDictionary<string, string> labels)
    {
        try
        {
            var (records, observer) = (new BoxRecords(machine.Paths), new BoxObserver(machine));
            var wanted = records.BoxesOf(session).Where(box => IsAskedFor(labels, SandboxLabels.Sandbox, box.Sandbox.ToString()))
                .Select(records.Find).OfType<BoxRecord>().Where(record => Matches(record, labels));
            return ([.. wanted.Select(record => new SandboxListing(HandleOf(machine, record.Address), observer.Observe(record).Status, record.Labels, record.CreatedAt))], null);
        }
        catch (PortException e)
        {
            return ([], e);
        }
        catch (Exception e) when (DiskFailure.Is(e))
        {
            return ([], DiskFailure.Of(e, $"The boxes of {session} could not be listed"));
        }
    }

    private async ValueTask RemoveAsync(SandboxHandle handle, bool keepData, CancellationToken cancellationToken)
    {
        var machine = await setup.ReadyAsync(cancellationToken);
        if (!IsHere(machine, handle)) throw new PortException(PortFailureKind.Unavailable, $"The box lives on {handle.Node}; only the host there can end it.");
        var box = AddressOf(handle);
        using (await SessionLock.AcquireAsync(machine.Paths.LockOf(box.Session), time, cancellationToken))
        {
            var records = new BoxRecords(machine.Paths);
            if (records.Find(box) is not { } record) return;
            await new BoxEnder(machine, time).EndAsync(record, cancellationToken);
            if (keepData) KeepData(machine, records, record);
            else await RemoveDataAsync(machine, records, record, cancellationToken);
        }

        LogDestroyed(box.Sandbox, keepData);
    }

    /// <summary>Ends the session's older boxes: two boxes never share a workspace.</summary>
    private async ValueTask<IReadOnlyList<BoxRecord>> EndOlderAsync(LocalMachine machine, BoxRecords records, SandboxSpec spec, CancellationToken cancellationToken)
    {
        var others = records.Of(spec.Session).Where(record => record.Sandbox != spec.Sandbox).ToList();
        if (others.Find(other => other.IsNewerThan(spec.Sandbox, spec.Generation)) is { } newer)
            throw new PortException(PortFailureKind.Rejected, $"Generation {spec.Generation} is out of date: the session has a box of generation {newer.Generation}.");
        foreach (var older in others) await new BoxEnder(machine, time).EndAsync(older, cancellationToken);
        return others;
    }

    private static void Forget(LocalMachine machine, BoxRecord record) => Directory.Delete(machine.Paths.Of(record.Address).Directory, recursive: true);

    private void DemandRoom(LocalMachine machine, BoxRecords records, BoxAddress box)
    {
        var survey = records.Survey();
        var running = survey.Records.Where(record => record.Address != box).Count(new BoxObserver(machine).MayRun) + survey.Unread.Count(other => other != box);
        if (running >= options.MaxBoxes)
            throw new PortException(PortFailureKind.Full, $"This machine runs {running} boxes, which is all it may ({LocalSandboxOptions.Section}:MaxBoxes).", retryAfter: TimeSpan.FromSeconds(10));
        if (DiskRoom.WhyNone(machine.Paths, options) is { } full) throw new PortException(PortFailureKind.Full, full, retryAfter: TimeSpan.FromSeconds(30));
    }

    private BoxRecord NewRecord(LocalMachine machine, SandboxSpec spec) => new()
    {
        Sandbox = spec.Sandbox,
        Generation = spec.Generation,
        Organization = spec.Organization,
        Session = spec.Session,
        Labels = spec.Labels,
        CreatedAt = time.GetUtcNow(),
        MemoryBytes = spec.Resources.MemoryBytes,
        MemoryLimited = machine.Cgroups.LimitsMemory,
        Isolated = machine.IsIsolated,
    };

    private async ValueTask LaunchAsync(LocalMachine machine, BoxRecord record, SandboxSpec spec, CancellationToken cancellationToken)
    {
        var since = time.GetTimestamp();
        try
        {
            var started = await new BoxLauncher(machine, options, staging, time).LaunchAsync(record, spec, cancellationToken);
            LogStarted(spec.Sandbox, spec.Generation, started.Main?.Pid ?? 0, time.GetElapsedTime(since).TotalMilliseconds);
        }
        catch (Exception e) when (e is PortException or OperationCanceledException || DiskFailure.Is(e))
        {
            // Nothing of a start that failed may stay: not a process, not a record that would pass for a box.
            var written = new BoxRecords(machine.Paths).Find(record.Address) ?? record;
            await new BoxEnder(machine, time).EndAsync(written, CancellationToken.None);
            if (!Directory.Exists(machine.Paths.DataOf(record.Session)))
                Forget(machine, record);
            LogNotStarted(spec.Sandbox, e);
            if (DiskFailure.Is(e)) throw DiskFailure.Of(e, "The box could not be started");
            throw;
        }
    }

    /// <summary>Leaves the record as the data's owner, without the token.</summary>
    private static void KeepData(LocalMachine machine, BoxRecords records, BoxRecord record)
    {
        File.Delete(machine.Paths.Of(record.Address).Config);
        records.Write(record with { EndDetail = record.EndDetail ?? "destroyed" });
    }

    /// <summary>Takes the data out of sight, then the records: never the other way round. Data that a newer box uses stays.</summary>
    private async ValueTask RemoveDataAsync(LocalMachine machine, BoxRecords records, BoxRecord record, CancellationToken cancellationToken)
    {
        var others = records.Of(record.Session).Where(other => other.Sandbox != record.Sandbox).ToList();
        if (others.Exists(other => other.IsNewerThan(record.Sandbox, record.Generation)))
        {
            Forget(machine, record);
            return;
        }

        foreach (var older in others) await new BoxEnder(machine, time).EndAsync(older, cancellationToken);
        removal.MoveAway(machine.Paths, machine.Paths.DataOf(record.Session));
        Directory.Delete(machine.Paths.Of(record.Session), recursive: true);
    }

    private static bool IsHere(LocalMachine machine, SandboxHandle handle) => handle.Node == machine.Node;

    private static SandboxHandle HandleOf(LocalMachine machine, BoxAddress box) => new(ProviderName, box.ToString(), machine.Node);

    private static BoxAddress AddressOf(SandboxHandle handle) => handle.Provider == ProviderName && BoxAddress.TryParse(handle.Id, out var box)
        ? box.Value
        : throw new PortException(PortFailureKind.Rejected, "This is not the handle of a local box.");
}
