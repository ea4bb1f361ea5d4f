namespace Coordinator.Tests.Simulation.Invariants;

/// <summary>What a world found out about itself that must never be.</summary>
internal sealed class InvariantBrokenException(string invariant, string detail) : Exception($"{invariant}: {detail}")
{
    /// <summary>Which one: the text of a member of <see cref="Invariants.Invariant"/>.</summary>
    public string Invariant { get; } = invariant;
}

/// <summary>What must hold at every step, or at the end of every run, whatever happened in it.</summary>
internal static class Invariant
{
    public const string ShownIsDurable = "1 what a client was shown is in the journal, in order, without gap or duplicate";
    public const string RunsAtMostOnce = "2 an accepted prompt runs at most once and ends in exactly one state";
    public const string InOrder = "3 messages of a session run in queue order, one at a time";
    public const string EverythingEnds = "4 every state that is not final ends in bounded time";
    public const string NoBoxIsLeft = "5 every box ends, none runs without a session that wants it, and none that is wanted is ended";
    public const string OneRunPerMessage = "6 every dispatched message that ended has exactly one run, of its events";
    public const string AnsweredOnce = "7 a question is answered once, or expires to its default";
    public const string NothingIsLostSilently = "8 an event of a box reaches the journal once, or its loss is told";
    public const string FoldIsTheState = "9 the journal folds to the state that its writer had";
    public const string NothingThrows = "10 no machine throws and none spins";
    public const string CountedOnce = "11 what a model call used is counted once, and has been where somebody was told so";
}
