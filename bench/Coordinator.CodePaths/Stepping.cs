using BenchmarkDotNet.Attributes;
using Coordinator.Ports.Session;

namespace Coordinator.CodePaths;

/// <summary>
/// The machine of a session whose turn runs takes what its box says: decided, folded, encoded as a record, committed and given out. A
/// session lives through one invocation, so what it costs per event does not hang on how long the benchmark runs.
/// </summary>
[MemoryDiagnoser]
public class Stepping
{
    private const int Events = 9_600;
    private const int Batch = 32;

    private SampleSession session = null!;
    private SessionInput[] pieces = null!;

    /// <summary>A session of its own, and all that its box will say.</summary>
    [IterationSetup]
    public void Begin()
    {
        session = new SampleSession();
        session.Journal.EnsureCapacity(2 * Events);
        pieces = [.. Enumerable.Range(0, Events).Select(_ => session.NextPiece())];
    }

    /// <summary>Each event is a record.</summary>
    [Benchmark(OperationsPerInvoke = Events)]
    public int AnEventByItself()
    {
        var put = 0;
        foreach (var piece in pieces) put += session.Step(piece);
        return put;
    }

    /// <summary>Of 32 events one is a record, and the other 31, which came while it was appended, are the next.</summary>
    [Benchmark(OperationsPerInvoke = Events)]
    public int AnEventOfThirtyTwo()
    {
        var put = 0;
        for (var first = 0; first < Events; first += Batch) put += session.StepTogether(new ArraySegment<SessionInput>(pieces, first, Batch));
        return put;
    }
}
