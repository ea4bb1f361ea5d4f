namespace Coordinator.Starting;

/// <summary>What the process says when it ends.</summary>
internal static class ExitCodes
{
    /// <summary>It was told to stop.</summary>
    public const int Stopped = 0;

    /// <summary>It could not start, or go on.</summary>
    public const int Failed = 1;

    /// <summary>Its configuration is wrong (<c>EX_CONFIG</c>): starting it again changes nothing.</summary>
    public const int Misconfigured = 78;
}
