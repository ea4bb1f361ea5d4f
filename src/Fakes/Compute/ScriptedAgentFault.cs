namespace Coordinator.Fakes.Compute;

/// <summary>What can be made to go wrong in a scripted agent's next turn.</summary>
public enum ScriptedAgentFault
{
    None,

    /// <summary>The process ends after the turn's first update.</summary>
    Crash,

    /// <summary>The process goes silent; the runtime finds it out after <see cref="ScriptedAgentRuntime.HangLimit"/>.</summary>
    Hang,

    /// <summary>It works and does not hear a cancel; when its process is ended for it, its updates break off with an exception.</summary>
    Deaf,

    /// <summary>Updates that make no sense: an end without a start, JSON that is none, half of a surrogate pair.</summary>
    Garbage,

    /// <summary>Updates come in another order than they happened: a tool's output before its start, a text's end before its beginning.</summary>
    OutOfOrder,

    /// <summary>Every update comes twice.</summary>
    Twice,

    /// <summary>The updates stop without an end: a runtime that breaks its promise.</summary>
    NoEnd,

    /// <summary>As many updates as <see cref="ScriptedAgentRuntime.FloodSize"/>, as fast as they are taken.</summary>
    Flood,

    /// <summary>Asks for permission and does not hear the answer.</summary>
    PermissionNeverAnswered,
}
