using System.Text.Json;
using Coordinator.Ports.Compute;

namespace Coordinator.Adapters.OpenCode.Turns;

/// <summary>Something that happened to a running turn, in the order it is dealt with.</summary>
internal abstract record TurnInput
{
    private TurnInput()
    {
    }

    /// <summary>The event stream is open; <paramref name="Again"/>: after it was lost.</summary>
    public sealed record Connected(bool Again) : TurnInput;

    public sealed record Event(JsonElement Data) : TurnInput;

    /// <summary>Look at the session once more.</summary>
    public sealed record Recheck : TurnInput;

    /// <summary>The agent should have begun by now.</summary>
    public sealed record BeginDue : TurnInput;

    /// <summary>The agent should have stopped by now.</summary>
    public sealed record CancelDue : TurnInput;

    public sealed record Exited(AgentExit Exit) : TurnInput;

    /// <summary>The server does not answer any more.</summary>
    public sealed record Hung(string Why) : TurnInput;
}
