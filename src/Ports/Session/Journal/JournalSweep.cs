namespace Coordinator.Ports.Session;

/// <summary>What all have in common that go through the sessions of a journal one after the other, on whichever side of the port.</summary>
public static class JournalSweep
{
    /// <summary>So many sessions that fail one after another are not these sessions' trouble: the sweep ends, and the next tries again.</summary>
    public const int MostFailures = 5;
}
