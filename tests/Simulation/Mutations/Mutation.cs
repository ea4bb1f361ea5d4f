using Coordinator.Tests.Simulation.Invariants;

namespace Coordinator.Tests.Simulation.Mutations;

/// <summary>
/// A bug, played at a seam of the simulated shells; production code knows none of them. The simulation must find each.
/// </summary>
internal enum Mutation
{
    None,

    /// <summary>The commit of an append waits for no disk, as a new session's lease need not.</summary>
    [Breaks(Invariant.ShownIsDurable)]
    AppendNotForced,

    /// <summary>The shell takes an append for durable when it sends it.</summary>
    [Breaks(Invariant.ShownIsDurable)]
    PublishBeforeAppend,

    /// <summary>The journal takes an append whoever holds the session, at whatever version.</summary>
    [Breaks(Invariant.ShownIsDurable)]
    MissingFence,

    /// <summary>What was started once is not started again by the next activation.</summary>
    [Breaks(Invariant.EverythingEnds, Invariant.OneRunPerMessage)]
    LostEffectOnCrash,

    /// <summary>The host acknowledges an event of the box when it comes.</summary>
    [Breaks(Invariant.NothingIsLostSilently)]
    AckBeforeCommit,

    /// <summary>The fold of a new activation does not know that a message was dispatched.</summary>
    [Breaks(Invariant.RunsAtMostOnce)]
    DoubleDispatch,

    /// <summary>A prompt is sent to the box before its dispatch is durable.</summary>
    [Breaks(Invariant.RunsAtMostOnce)]
    SendBeforeClaim,

    /// <summary>Wake-ups are not written.</summary>
    [Breaks(Invariant.EverythingEnds)]
    ForgottenAlarm,

    /// <summary>The box runs a message whose acceptance is not on disk yet.</summary>
    [Breaks(Invariant.RunsAtMostOnce)]
    AcceptedNotWritten,

    /// <summary>The box forgets an event when it has sent it.</summary>
    [Breaks(Invariant.NothingIsLostSilently)]
    TrimWhenSent,

    /// <summary>An append whose answer was lost is taken for written without looking.</summary>
    [Breaks(Invariant.ShownIsDurable)]
    UnknownTakenForWritten,

    /// <summary>A follower that missed a batch goes on without reading it.</summary>
    [Breaks(Invariant.ShownIsDurable)]
    FollowerSkipsGap,

    /// <summary>A follower shows what it reads from the journal and what is published, both.</summary>
    [Breaks(Invariant.ShownIsDurable)]
    FollowerShowsTwice,

    /// <summary>A restored database keeps its incarnation.</summary>
    [Breaks(Invariant.ShownIsDurable)]
    RestoreKeepsIncarnation,

    /// <summary>The provider makes another box when it is asked again.</summary>
    [Breaks(Invariant.NoBoxIsLeft)]
    CreateNotIdempotent,

    /// <summary>The history keeps a run each time it is given.</summary>
    [Breaks(Invariant.OneRunPerMessage)]
    RunKeptTwice,

    /// <summary>The fold of a new activation does not know that a question was answered.</summary>
    [Breaks(Invariant.AnsweredOnce)]
    AnswerForgotten,

    /// <summary>Boxes without a session are never swept.</summary>
    [Breaks(Invariant.NoBoxIsLeft)]
    NoSweep,

    /// <summary>The fold of a new activation does not know that a message was moved.</summary>
    [Breaks(Invariant.InOrder)]
    MoveForgotten,

    /// <summary>The fold of a new activation does not know what models cost.</summary>
    [Breaks(Invariant.FoldIsTheState)]
    UsageForgotten,

    /// <summary>The fold of a new activation does not know of which model calls it was told.</summary>
    [Breaks(Invariant.CountedOnce)]
    CallsForgotten,

    /// <summary>The timer of an activation rings at once, whatever it is set to.</summary>
    [Breaks(Invariant.NothingThrows)]
    TimerSpins,

    /// <summary>The box's disk makes nothing durable when it is asked to.</summary>
    [Breaks(Invariant.NothingIsLostSilently)]
    FlushForgotten,

    /// <summary>A host welcomes a box with what the box says is acknowledged.</summary>
    [Breaks(Invariant.NothingIsLostSilently)]
    WelcomeTakesItsWord,
}
