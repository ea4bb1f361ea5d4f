namespace Coordinator.Adapters.Acp;

/// <summary>How long the runtime waits for an agent in each situation.</summary>
public sealed record AcpOptions
{
    public static AcpOptions Default { get; } = new();

    /// <summary>How long opening a conversation or changing a setting may take; a prompt has no limit here.</summary>
    public TimeSpan CallTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long the agent may take to stop a turn before its process is killed.</summary>
    public TimeSpan CancelGrace { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long the process may take to end after its input was closed.</summary>
    public TimeSpan StopGrace { get; init; } = TimeSpan.FromSeconds(2);
}
