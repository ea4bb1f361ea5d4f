namespace Coordinator.Bench.Driving;

/// <summary>
/// A server that <c>bench/drive</c> measures: all that an adapter has to say of one. What the driver counts is this alone, so
/// that the figures of two servers are of the same thing. Implementations may be called by many at once.
/// </summary>
internal interface IServer : IAsyncDisposable
{
    /// <summary>Makes a session, or whatever the server calls a conversation that can be followed; returns when it can be.</summary>
    Task<string> CreateAsync(CancellationToken cancellationToken);

    /// <summary>Sends a message into the session and returns when the server has taken it. What it is answered is told to followers.</summary>
    Task PromptAsync(string session, string text, CancellationToken cancellationToken);

    /// <summary>Follows the session: from after <paramref name="cursor"/>, or from now. Returns when the server has answered that it is followed.</summary>
    Task<IFollower> FollowAsync(string session, string? cursor, CancellationToken cancellationToken);
}

/// <summary>One client that follows a session.</summary>
internal interface IFollower : IAsyncDisposable
{
    /// <summary>The next thing that the server told of the session; null when it ended the connection.</summary>
    ValueTask<Told?> NextAsync(CancellationToken cancellationToken);
}

/// <summary>Something a follower was told: how many events it held, where to go on after it, and whether it ends a turn.</summary>
internal readonly record struct Told(int Events, string? Cursor, bool EndsTurn);
