using BenchmarkDotNet.Attributes;
using Coordinator.Modules.Sessions;
using Coordinator.Modules.Sessions.Actor;
using Coordinator.Ports.Session;

namespace Coordinator.CodePaths;

/// <summary>What is read of a journal: the events of its records by whoever follows, and all of them by the next host.</summary>
[MemoryDiagnoser]
public class Reading
{
    private const int Records = 1_000;
    private const int Batch = 32;

    private static readonly SessionMachineFactory Machines = new(SessionLimits.Default, SampleSession.Tokens);

    private JournalRecord one = null!;
    private JournalRecord thirtyOne = null!;
    private JournalRecord[] all = null!;

    /// <summary>A session that was written an event at a time, and the next record with the 31 that came meanwhile.</summary>
    [GlobalSetup]
    public void Begin()
    {
        var session = new SampleSession();
        while (session.Journal.Count < Records) session.Step(session.NextPiece());
        all = [.. session.Journal];
        session.StepTogether([.. Enumerable.Range(0, Batch).Select(_ => session.NextPiece())]);
        (one, thirtyOne) = (session.Journal[^2], session.Journal[^1]);
        if ((RecordEvents.Read(one)?.Events.Count, RecordEvents.Read(thirtyOne)?.Events.Count) is not (1, Batch - 1)) throw new InvalidOperationException("The records are not what they are to be.");
    }

    /// <summary>The event of a record that holds one.</summary>
    [Benchmark]
    public EventBatch? ARecordOfOne() => RecordEvents.Read(one);

    /// <summary>The events of a record that holds 31.</summary>
    [Benchmark]
    public EventBatch? ARecordOfThirtyOne() => RecordEvents.Read(thirtyOne);

    /// <summary>What a takeover does once it has the records: a machine anew, and a thousand of one event each folded in.</summary>
    [Benchmark]
    public long AThousandRecordsFolded()
    {
        var machine = Machines.Create(SampleSession.Lease);
        foreach (var record in all) machine.Replay(record);
        return machine.Version;
    }
}
