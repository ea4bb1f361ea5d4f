using Coordinator.Ports.Compute;
using Coordinator.Ports.Record;

namespace Coordinator.Ports.Session;

/// <summary>Slow work a session wants right now, derived from its committed state; never remembered as "to do".</summary>
public abstract record SessionEffect
{
    private SessionEffect()
    {
    }

    /// <summary>
    /// Create the box, or find it if an earlier try already did (idempotent by sandbox id). Without <paramref name="Node"/> no try
    /// was made yet: where there are several machines one is chosen (<see cref="EffectOutcome.SandboxPlaced"/>), and nothing made
    /// before that is durable. <paramref name="Home"/> has the session's workspace, where that is known. <paramref name="TokenHash"/>,
    /// in hex, is of the token that it was requested with: each try hands out that one, also behind a rotation of the master key.
    /// </summary>
    public sealed record CreateSandbox(SandboxId Sandbox, int Generation, SessionSettings Settings, string? Node = null, string? Home = null, string? TokenHash = null) : SessionEffect;

    /// <summary>Ask the provider what became of a box that has gone quiet.</summary>
    public sealed record InspectSandbox(SandboxHandle Handle) : SessionEffect;

    /// <summary>
    /// End a box for certain. With <paramref name="KeepData"/> its workspace survives for the next one. The handle is
    /// null when create never answered: then it is looked for by its label. Boxes of a later generation are left alone: the
    /// call may be late, and the session have gone on.
    /// </summary>
    public sealed record DestroySandbox(SandboxId Sandbox, int Generation, SandboxHandle? Handle, bool KeepData) : SessionEffect;

    /// <summary>Write a finished run to the history (idempotent by run id). <paramref name="WasRefused"/>: it was refused before for what it is, and that was said.</summary>
    public sealed record FlushRun(RunRecord Run, bool WasRefused = false) : SessionEffect;
}

/// <summary>How an effect ended.</summary>
public abstract record EffectOutcome
{
    private EffectOutcome()
    {
    }

    /// <summary>Done, or it was so already.</summary>
    public sealed record Succeeded : EffectOutcome;

    /// <summary>The box is to be made on this machine and on no other; nothing is made yet.</summary>
    public sealed record SandboxPlaced(string Node) : EffectOutcome;

    /// <summary>The box is there; this is how to find it again.</summary>
    public sealed record SandboxCreated(SandboxHandle Handle) : EffectOutcome;

    /// <summary>What the provider knows of the box, and why it stopped, where it knows.</summary>
    public sealed record SandboxInspected(SandboxStatus Status, string? Detail) : EffectOutcome;

    /// <summary><paramref name="Retryable"/>: the same effect may succeed later; the session backs off and asks again.</summary>
    public sealed record Failed(Problem Problem, bool Retryable) : EffectOutcome
    {
        /// <summary>Of a create that was placed: the machine itself said that it has no such box, so another may be chosen.</summary>
        public bool PlaceIsFree { get; init; }
    }
}
