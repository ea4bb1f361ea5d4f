using Coordinator.Modules.Sessions.State;

namespace Coordinator.Modules.Sessions;

/// <summary>Bounds and waiting times of a session. Defaults are what a small team wants.</summary>
public sealed record SessionLimits
{
    public static SessionLimits Default { get; } = new();

    /// <summary>Messages that may wait in the queue, beside the one that runs.</summary>
    public int QueuedMessages { get; init; } = 100;

    /// <summary>Size of a prompt in UTF-8 bytes.</summary>
    public int PromptBytes { get; init; } = 64 * 1024;

    /// <summary>How long the provider may take to create a box, its retries included.</summary>
    public TimeSpan SandboxCreate { get; init; } = TimeSpan.FromMinutes(3);

    /// <summary>From created to the box's first hello.</summary>
    public TimeSpan SandboxConnect { get; init; } = TimeSpan.FromSeconds(90);

    /// <summary>From hello to a ready agent: longer than clone, install and agent start together.</summary>
    public TimeSpan SandboxBoot { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>From its request to a ready agent, all in all: longer than create, connect, boot and a silence on the way together.</summary>
    public TimeSpan SandboxStart { get; init; } = TimeSpan.FromHours(1);

    /// <summary>Without a frame from the box for this long, it is silent.</summary>
    public TimeSpan SandboxSilence { get; init; } = TimeSpan.FromSeconds(45);

    /// <summary>Without a link for this long, the provider is asked what became of the box.</summary>
    public TimeSpan InspectAfter { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>A silent box is given up after this long.</summary>
    public TimeSpan SandboxGiveUp { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>A ready box with nothing to do is stopped after this long; its workspace is kept.</summary>
    public TimeSpan SandboxIdle { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>A dispatched message that the box has not taken fails after this long.</summary>
    public TimeSpan MessageStart { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>The longest turn.</summary>
    public TimeSpan MessageTurn { get; init; } = TimeSpan.FromHours(2);

    /// <summary>A turn that does not stop when asked loses its box after this long.</summary>
    public TimeSpan MessageCancel { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>What a box gets at least, when this side was away, to connect again: longer than it waits between two tries.</summary>
    public TimeSpan Reconnect { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>How often a wait for a box or its provider begins anew because this side was away. Part of the format of journals, so no setting.</summary>
    public int Graces { get; } = FoldFormat.Graces;

    /// <summary>An unanswered permission question is answered "reject" after this long.</summary>
    public TimeSpan PermissionAnswer { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>
    /// What an open question gets at least, when this side was away and nobody could answer it; never more than
    /// <see cref="PermissionAnswer"/>, and <see cref="Graces"/> times at most.
    /// </summary>
    public TimeSpan PermissionReturn { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>How soon a session is looked at again while something of it is under way, in case its host dies.</summary>
    public TimeSpan CrashCheck { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>The same for a turn that runs in a box, which reports by itself.</summary>
    public TimeSpan TurnCheck { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>
    /// When a run that the history refused for what it is, and not because it was down, is offered to it again: somebody has to look
    /// at the log first.
    /// </summary>
    public TimeSpan RunRefused { get; init; } = TimeSpan.FromDays(1);

    /// <summary>How often a session wakes up for that. Then it sleeps, and offers the run only when something else has woken it.</summary>
    public int RefusedWakes { get; init; } = 7;

    /// <summary>How long an idempotency key is remembered. Part of the format of journals, so no setting.</summary>
    public TimeSpan RequestMemory { get; } = FoldFormat.RequestMemory;

    /// <summary>The wait before try <paramref name="attempt"/> (1, 2, …) of something that failed: 1 s, 2 s, 4 s … 5 min.</summary>
    public static TimeSpan Backoff(int attempt) => TimeSpan.FromSeconds(Math.Min(300, Math.Pow(2, Math.Min(attempt - 1, 10))));
}
