namespace Coordinator.Tests.Chaos;

/// <summary>What counts as stuck.</summary>
internal static class Bounds
{
    /// <summary>
    /// Longer than what the product says it may take when everything is there: what went on in a session whose host died is
    /// looked at within 75 s, a box that was away is waited for a minute, and one that was made dials within 90 s.
    /// </summary>
    public static readonly TimeSpan Stuck = TimeSpan.FromMinutes(4);

    /// <summary>How soon nothing may be left of an archived session.</summary>
    public static readonly TimeSpan Gone = TimeSpan.FromMinutes(2);
}
