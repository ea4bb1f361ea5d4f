using Coordinator.Ports;
using Coordinator.Tests.Simulation.Box;

namespace Coordinator.Tests.Simulation.Invariants;

/// <summary>What agents really did, whatever anybody wrote down: which message each was given, how often, and what ran beside it.</summary>
internal sealed class AgentAudit
{
    private readonly Dictionary<MessageId, int> runs = [];
    private readonly HashSet<(SimBox Box, MessageId Message)> runsIn = [];
    private readonly HashSet<MessageId> excused = [];
    private readonly List<(SimBox Box, MessageId Message)> running = [];

    /// <param name="box">Where.</param>
    /// <param name="message">What.</param>
    /// <param name="journal">What is durable of the session; null when the message was taken before the database went back.</param>
    /// <param name="restores">How often the database went back.</param>
    public void Started(SimBox box, MessageId message, SessionAudit? journal, int restores)
    {
        if (!runsIn.Add((box, message)) && !excused.Contains(message)) throw new InvariantBrokenException(Invariant.RunsAtMostOnce, $"{message} is given to the agent of {box} again, which remembers it");
        if (journal is not null) Count(box, message);
        if (journal is not null && journal.Find(message) is not { Dispatched: true }) throw new InvariantBrokenException(Invariant.RunsAtMostOnce, $"{message} runs in {box} and the journal does not know that it was dispatched");
        foreach (var (other, besides) in running)
            if (other.Session == box.Session && other.AskedAfterRestores == restores && box.AskedAfterRestores == restores)
                throw new InvariantBrokenException(Invariant.InOrder, $"{message} runs in {box} while {besides} runs in {other}");
        running.Add((box, message));
    }

    /// <summary>What a box took in a lost future it may begin after the database went back, and somebody may ask for it once more.</summary>
    private void Count(SimBox box, MessageId message)
    {
        var count = runs[message] = runs.GetValueOrDefault(message) + 1;
        if (count > 1 && !excused.Contains(message)) throw new InvariantBrokenException(Invariant.RunsAtMostOnce, $"{message} is given to an agent the {count}. time, in {box}");
    }

    public void Ended(SimBox box, MessageId message) => running.Remove((box, message));

    public void DiskLost(SimBox box) => runsIn.RemoveWhere(run => run.Box == box);

    /// <summary>A disk went back behind what had been made durable on it: no program can know what it did.</summary>
    public void Excuse(MessageId message) => excused.Add(message);

    /// <summary>The database went back: what it knows of no more may be asked for, and run, once more; not in a box that remembers it.</summary>
    public void Forget(Func<MessageId, bool> isKnown)
    {
        foreach (var message in runs.Keys.Where(m => !isKnown(m)).ToArray()) runs.Remove(message);
    }
}
