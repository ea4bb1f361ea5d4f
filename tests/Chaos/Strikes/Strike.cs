namespace Coordinator.Tests.Chaos.Strikes;

/// <summary>What is struck.</summary>
internal enum StrikeKind
{
    /// <summary>kill -9 of a host, and its start.</summary>
    Host,

    /// <summary>kill -9 of PostgreSQL's main process, which whoever runs it starts again.</summary>
    Postgres,

    /// <summary>The network between clients and hosts is cut, refuses, swallows or delays, and is well again.</summary>
    Network,

    /// <summary>kill -9 of the program in a box, which is its supervisor and its bridge.</summary>
    Bridge,

    /// <summary>kill -9 of the agent in a box.</summary>
    Agent,

    /// <summary>kill -9 of every process of a box at once.</summary>
    Sandbox,

    /// <summary>SIGSTOP of a host for longer than its time to live, and SIGCONT.</summary>
    Frozen,

    /// <summary>The network between a host and PostgreSQL, as that before hosts, for up to longer than a host may be unheard.</summary>
    Database,

    /// <summary>kill -9 of the sandbox host, whose boxes live on, and its start.</summary>
    SandboxHost,

    /// <summary>SIGTERM of a host, which must end with 0, and its start.</summary>
    Drain,

    /// <summary>The way between one session's box and what it dials, as the network before hosts.</summary>
    BoxLink,
}

/// <summary>One strike, and how long it was until every session it hit had gone on, as its client was shown it (<see cref="Recovery"/>; after one at a box: with the next turn, after one at its link: with the next word); null when that did not come.</summary>
/// <param name="Trouble">What was done, where it was done to a network.</param>
internal sealed record Strike(StrikeKind Kind, TimeSpan? Recovered, Trouble? Trouble = null)
{
    /// <summary>When it was, for who looks into a log.</summary>
    public DateTimeOffset At { get; } = TimeProvider.System.GetUtcNow() - (Recovered ?? TimeSpan.Zero);
}

/// <summary>Which kinds there are where.</summary>
internal static class StrikeKinds
{
    /// <summary>They hit one session each.</summary>
    public static IReadOnlyList<StrikeKind> OfBoxes { get; } = [StrikeKind.Agent, StrikeKind.Bridge, StrikeKind.Sandbox, StrikeKind.BoxLink];

    /// <summary>They need hosts with a database and boxes outside of them.</summary>
    public static IReadOnlyList<StrikeKind> OfSeveralHosts { get; } = [StrikeKind.Frozen, StrikeKind.Database, StrikeKind.SandboxHost];

    public static IReadOnlyList<StrikeKind> With(int hosts) => [.. Enum.GetValues<StrikeKind>().Where(kind => hosts > 1 || !OfSeveralHosts.Contains(kind))];
}
