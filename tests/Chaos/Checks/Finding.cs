namespace Coordinator.Tests.Chaos.Checks;

/// <summary>What must be zero.</summary>
internal enum FindingKind
{
    /// <summary>Somebody was not shown what is in the journal, or the journal lacks what must be in it.</summary>
    Missing,

    /// <summary>Somebody was shown something twice, or the journal holds it twice.</summary>
    Duplicate,

    /// <summary>Somebody was shown something out of its order, or messages ran out of theirs.</summary>
    Reordered,

    /// <summary>Something did not come to its end within its bound.</summary>
    Stuck,

    /// <summary>A process or a folder of a box is left of a session that is over.</summary>
    OrphanBox,

    /// <summary>A prompt was run more than once.</summary>
    DoubleTurn,

    /// <summary>Somebody was shown what is not, or is otherwise, in the journal.</summary>
    Untrue,

    /// <summary>A turn failed whose box nobody had struck.</summary>
    FailedTurn,

    /// <summary>The run itself broke off, or what it started did not end as it should.</summary>
    Broken,
}

/// <summary>One thing that must not be.</summary>
internal sealed record Finding(FindingKind Kind, string Session, string What)
{
    public override string ToString() => $"{Kind}: {Session}: {What}";
}
