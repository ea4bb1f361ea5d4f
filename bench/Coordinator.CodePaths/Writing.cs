using BenchmarkDotNet.Attributes;
using Coordinator.Modules.Sessions.Events;
using Coordinator.Modules.Sessions.Facts;
using Coordinator.Ports;

namespace Coordinator.CodePaths;

/// <summary>Events and records as bytes: those that are journaled, and that clients are sent.</summary>
[MemoryDiagnoser]
public class Writing
{
    private const int Events = 32;

    private static readonly MessageId Message = SampleSession.Message(1);
    private static readonly Fact[] Facts = [new Fact.BridgeAdvanced(4_711)];

    private readonly byte[] data = """{"part":"p1","offset":123456,"text":"twelve chars"}"""u8.ToArray();
    private byte[] written = [];

    /// <summary>The events of the record.</summary>
    [GlobalSetup]
    public void Begin() => written = Write().Utf8.ToArray();

    /// <summary>One event of 32 that are written side by side.</summary>
    [Benchmark(OperationsPerInvoke = Events)]
    public int AnEvent() => Write().Utf8.Length;

    /// <summary>A record of 32 events.</summary>
    [Benchmark]
    public int ARecordOfThirtyTwo() => RecordCodec.Encode(Facts, written).Length;

    private EventBuffer Write()
    {
        var events = new EventBuffer();
        for (var seq = 1; seq <= Events; seq++) events.Append(1, seq, SampleSession.Now, "agent.text", Message, data);
        return events;
    }
}
