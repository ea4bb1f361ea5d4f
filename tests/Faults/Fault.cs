using Coordinator.Tests.WalkingSkeleton.World;

namespace Coordinator.Tests.Faults;

/// <summary>Where in a session's life a fault shows itself.</summary>
public enum FaultMoment
{
    /// <summary>Before the session is created.</summary>
    Creating,

    /// <summary>The session is there and has no box; a prompt follows.</summary>
    FirstPrompt,

    /// <summary>A prompt waits for a box that the provider cannot give yet.</summary>
    Starting,

    /// <summary>A box is ready and idle; a prompt follows.</summary>
    NextPrompt,

    /// <summary>The agent is in the middle of a tool call.</summary>
    MidTool,

    /// <summary>The session is about to be archived.</summary>
    Archiving,

    /// <summary>Beside a session that goes on, in what <see cref="Fault.Beside"/> does.</summary>
    Beside,
}

/// <summary>What can go wrong with anything outside. Every catalog plays each, or says why it cannot happen.</summary>
public enum GeneralFault
{
    /// <summary>It is down.</summary>
    Unavailable,

    /// <summary>It answers, late.</summary>
    Slow,

    /// <summary>It did what it was asked, and its answer is lost.</summary>
    LostAnswer,

    /// <summary>It did, or gave, only a part.</summary>
    Partial,

    /// <summary>It is asked twice, or answers twice.</summary>
    Duplicate,

    /// <summary>What we identify ourselves with, or somebody shows us, has expired or was withdrawn.</summary>
    StaleCredential,

    /// <summary>It answers what cannot be understood, or is not what was stored.</summary>
    CorruptAnswer,

    /// <summary>Disk, quota, capacity or rate is used up.</summary>
    Full,

    /// <summary>Its clock and ours differ.</summary>
    ClockSkew,
}

/// <summary>
/// One way in which something outside goes wrong, as data: how the fake is made to show it, when, what the user must
/// see, and what must hold afterwards beyond what holds after every fault (see <see cref="DisruptionSuite"/>).
/// </summary>
public sealed record Fault(string Name, FaultMoment When)
{
    /// <summary>Which of the general faults it is; null: one of its port alone.</summary>
    public GeneralFault? Is { get; init; }

    /// <summary>Makes the fake show it.</summary>
    public required Func<Skeleton, ValueTask> Show { get; init; }

    /// <summary>Makes it pass.</summary>
    public Action<Skeleton> Mend { get; init; } = _ => { };

    /// <summary>How long it lasts; null: until the user has seen what <see cref="Sees"/> says.</summary>
    public TimeSpan? Lasts { get; init; }

    /// <summary>In a world on real time, in place of <see cref="Lasts"/>: it lasts until this is so.</summary>
    public Func<bool>? LastsUntil { get; init; }

    /// <summary>
    /// What the user must see: how the message ends (<c>completed</c>, <c>failed</c> and its code, <c>cancelled</c>), or what
    /// the call is refused with, and what becomes of it when it is sent again: <c>Timeout, then completed</c>.
    /// </summary>
    public required string Sees { get; init; }

    /// <summary>What the user may see instead, where something of the session's own may meet the fault before the user does.</summary>
    public IReadOnlyList<string> OrSees { get; init; } = [];

    /// <summary>What the agent is asked while it shows.</summary>
    public string Prompt { get; init; } = "@say Answered.";

    /// <summary>For <see cref="FaultMoment.MidTool"/>: true when somebody renames the session while it shows, since a quiet tool writes nothing.</summary>
    public bool IsRenamedMeanwhile { get; init; }

    /// <summary>What must hold afterwards, for this fault alone. One beside the session, of which the session knows nothing, must say it.</summary>
    public Func<Skeleton, ValueTask>? Holds { get; init; }

    /// <summary>For <see cref="FaultMoment.Beside"/>: prepares, before the session is created, what the user does, which answers <c>ok</c> or what is seen instead.</summary>
    public Func<Skeleton, ValueTask<Func<ValueTask<string>>>>? Beside { get; init; }

    /// <summary>True: shown by the fake of the session host, which is then the world's host.</summary>
    public bool OnFakeHost { get; init; }

    /// <summary>Makes a fake show it that needs no waiting.</summary>
    public static Func<Skeleton, ValueTask> By(Action<Skeleton> show) => world =>
    {
        show(world);
        return ValueTask.CompletedTask;
    };

    public override string ToString() => Name;
}
