namespace Coordinator.Adapters.OpenCode;

/// <summary>How long the runtime waits for OpenCode in each situation. The defaults suit a box; tests shorten them.</summary>
public sealed record OpenCodeOptions
{
    public static OpenCodeOptions Default { get; } = new();

    /// <summary>How often the server's health is asked for while a turn runs.</summary>
    public TimeSpan HealthInterval { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long one answer about its health may take.</summary>
    public TimeSpan HealthTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>So many unanswered health checks in a row mean that the server hangs.</summary>
    public int HealthFailures { get; init; } = 3;

    /// <summary>How long any other call may take.</summary>
    public TimeSpan CallTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The server sends a heartbeat every 10 s; an event stream quiet for longer than this is opened anew.</summary>
    public TimeSpan EventSilence { get; init; } = TimeSpan.FromSeconds(35);

    /// <summary>How long after the session went idle its last message may still be without its end.</summary>
    public TimeSpan SettleTimeout { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>How long an accepted prompt may take to begin.</summary>
    public TimeSpan BeginTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How long the server may take to stop a turn before its process is killed.</summary>
    public TimeSpan CancelGrace { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long the process may take to end when asked to.</summary>
    public TimeSpan StopGrace { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How soon something that was not so yet is looked at again.</summary>
    public TimeSpan RecheckInterval { get; init; } = TimeSpan.FromMilliseconds(200);
}
