using Coordinator.Modules.Sessions.Facts;

namespace Coordinator.Modules.Sessions.State;

/// <summary>The fold of what happened to the box.</summary>
internal static class SandboxEvolver
{
    public static Sandbox Apply(Sandbox box, Fact fact) => fact switch
    {
        Fact.SandboxRequested f => new Sandbox
        {
            Phase = SandboxPhase.Requested,
            Id = f.Id,
            Generation = f.Generation,
            TokenHash = f.TokenHash,
            Since = f.At,
            RequestedAt = f.At,
            MustDestroy = true,
            HasData = true,
            Home = HomeOf(box),
        },
        Fact.SandboxPlaced f => box with { Node = f.Node },
        Fact.SandboxCreated f => Created(box, f),
        Fact.SandboxCreateFailed f => box with { CreateFailures = box.CreateFailures + 1, CreateNotBefore = f.NotBefore, CreateFailureCode = f.Code, CreateFailureDetail = f.Detail, Node = f.PlaceIsFree ? null : box.Node },
        Fact.SandboxConnected f => box with { Phase = SandboxPhase.Connected, Since = f.At },
        Fact.SandboxReady f => box with
        {
            Phase = SandboxPhase.Ready,
            Since = f.At,
            AgentName = f.AgentName,
            AgentVersion = f.AgentVersion,
            Resumed = f.Resumed,
            IdleSince = f.At,
        },
        Fact.SandboxSilent f => box with { Phase = SandboxPhase.Silent, BeforeSilence = box.Phase, Since = f.At },
        Fact.SandboxHeard f => box with { Phase = box.BeforeSilence, Since = f.At },
        Fact.SandboxStopping f => box with { Phase = SandboxPhase.Stopping, Since = f.At, Reason = f.Reason, Detail = f.Detail, KeepData = f.KeepData, MustDestroy = true },
        Fact.SandboxLost f => box with { Phase = SandboxPhase.Lost, Since = f.At, Reason = f.Reason, Detail = f.Detail, KeepData = f.KeepData, MustDestroy = true },
        Fact.SandboxDestroyed f => box with
        {
            Phase = box.Phase == SandboxPhase.Lost ? SandboxPhase.Lost : SandboxPhase.Stopped,
            Since = f.At,
            MustDestroy = false,
            HasData = f.KeptData,
            DestroyFailures = 0,
            DestroyNotBefore = null,
        },
        Fact.SandboxDestroyFailed f => box with { DestroyFailures = box.DestroyFailures + 1, DestroyNotBefore = f.NotBefore },
        _ => throw new Ports.Session.UnknownRecordException($"No fold for {fact.GetType().Name}."),
    };

    /// <summary>Where the last box's workspace is, unless it went with it. One that was never made left the one before.</summary>
    private static string? HomeOf(Sandbox last) => last.HasData ? last.Handle?.Node ?? last.Home : null;

    /// <summary>The box may have called back before the create call returned: then the answer only adds the handle.</summary>
    private static Sandbox Created(Sandbox box, Fact.SandboxCreated f) => box.Phase == SandboxPhase.Requested
        ? box with { Phase = SandboxPhase.Booting, Since = f.At, Handle = f.Handle }
        : box with { Handle = f.Handle };
}
