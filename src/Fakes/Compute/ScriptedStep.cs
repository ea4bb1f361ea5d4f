using Coordinator.Ports.Compute;

namespace Coordinator.Fakes.Compute;

/// <summary>One thing a scripted agent does in a turn.</summary>
public abstract record ScriptedStep
{
    private ScriptedStep()
    {
    }

    /// <summary>Text of the answer, shown word by word.</summary>
    public sealed record Say(string Text) : ScriptedStep;

    /// <summary>Text of its thinking, shown word by word.</summary>
    public sealed record Think(string Text) : ScriptedStep;

    /// <summary>Runs a tool; where permissions are asked for and it <paramref name="Guarded"/>, only after an answer that allows it. <paramref name="Truncated"/>: the agent has left out a part of the output.</summary>
    public sealed record RunTool(string Tool, string InputJson, string Pattern, string Output, bool Guarded = true, bool Truncated = false) : ScriptedStep;

    /// <summary>A tool that really does something, and tells of it when it has.</summary>
    public sealed record DoTool(string Tool, string InputJson, Func<CancellationToken, Task<ScriptedOutcome>> Do) : ScriptedStep;

    /// <summary>A tool, or an answer, that goes on until the turn is cancelled.</summary>
    public sealed record Endless(string? Tool = null, string InputJson = "{}", string Text = "") : ScriptedStep;

    /// <summary>Something a turn tells that has no life of its own: a plan, a changed file, a retry.</summary>
    public sealed record Tell(AgentUpdate Update) : ScriptedStep;

    /// <summary>Nothing happens for so long.</summary>
    public sealed record Wait(TimeSpan Duration) : ScriptedStep;

    /// <summary>The turn fails.</summary>
    public sealed record Fail(string Code, string Detail) : ScriptedStep;
}

/// <summary>What came of a command.</summary>
public sealed record ScriptedOutcome(int ExitCode, string Output);

/// <summary>What a scripted agent does about a prompt, given the conversation before it.</summary>
public delegate IEnumerable<ScriptedStep> AgentScript(ScriptedConversation conversation, AgentPrompt prompt);
