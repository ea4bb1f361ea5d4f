namespace Coordinator.Demo.Model;

/// <summary>What the script says to a request.</summary>
internal abstract record DemoAnswer
{
    private DemoAnswer()
    {
    }

    /// <summary>Words, each followed by <paramref name="Pause"/> times the usual pause.</summary>
    public sealed record Say(string Text, int Pause = 1) : DemoAnswer;

    /// <summary>A few words, and a call of one of the agent's tools.</summary>
    public sealed record Call(string Text, string Tool, string ArgumentsJson) : DemoAnswer;
}
