namespace Coordinator.Tests.Simulation.Mutations;

/// <summary>
/// A bug, played at a seam of the simulated shells; production code knows none of them. The simulation must find each.
/// </summary>
internal enum Mutation
{
    None,

    /// <summary>The shell takes an append for durable when it sends it.</summary>
    PublishBeforeAppend,

    /// <summary>The journal takes an append whoever holds the session, at whatever version.</summary>
    MissingFence,

    /// <summary>What was started once is not started again by the next activation.</summary>
    LostEffectOnCrash,

    /// <summary>The host acknowledges an event of the box when it comes.</summary>
    AckBeforeCommit,

    /// <summary>The fold of a new activation does not know that a message was dispatched.</summary>
    DoubleDispatch,

    /// <summary>A prompt is sent to the box before its dispatch is durable.</summary>
    SendBeforeClaim,

    /// <summary>Wake-ups are not written.</summary>
    ForgottenAlarm,

    /// <summary>The box runs a message whose acceptance is not on disk yet.</summary>
    AcceptedNotWritten,

    /// <summary>The box forgets an event when it has sent it.</summary>
    TrimWhenSent,

    /// <summary>An append whose answer was lost is taken for written without looking.</summary>
    UnknownTakenForWritten,

    /// <summary>A follower that missed a batch goes on without reading it.</summary>
    FollowerSkipsGap,

    /// <summary>A follower shows what it reads from the journal and what is published, both.</summary>
    FollowerShowsTwice,

    /// <summary>A restored database keeps its incarnation.</summary>
    RestoreKeepsIncarnation,

    /// <summary>The provider makes another box when it is asked again.</summary>
    CreateNotIdempotent,

    /// <summary>The history keeps a run each time it is given.</summary>
    RunKeptTwice,

    /// <summary>The fold of a new activation does not know that a question was answered.</summary>
    AnswerForgotten,

    /// <summary>Boxes without a session are never swept.</summary>
    NoSweep,
}
