namespace Coordinator.Tests.Support.Hosting;

/// <summary>
/// Of which release each start of a program is: the first of an older one, where there is one, and all further ones of the present. It never goes
/// back, however the program ended: an older release refuses what a newer one has made of the database.
/// </summary>
public sealed class RollingRelease(Release present, Release? older)
{
    private bool hasStarted;

    /// <summary>What the last start was of, or the first will be of.</summary>
    public Release Current { get; private set; } = older ?? present;

    /// <summary>True once what began as the older release was started as the present one.</summary>
    public bool IsUpgraded => older is not null && Current == present;

    /// <summary>Says what a start is of that is made now.</summary>
    public Release Start()
    {
        if (hasStarted) Current = present;
        hasStarted = true;
        return Current;
    }
}
