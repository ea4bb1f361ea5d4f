using Coordinator.Modules.Sessions.Facts;
using Coordinator.Ports.Session;
using Coordinator.Tests.Simulation.Box;
using Coordinator.Tests.Simulation.World;

namespace Coordinator.Tests.Simulation.Mutations;

/// <summary>The bugs that take more than one line at the seam where they are played.</summary>
internal static class Seams
{
    /// <summary>Prompts leave with the append that claims them, not after it.</summary>
    public static void SendBeforeClaim(JournalAppend record, IEnumerable<Link> links)
    {
        foreach (var dispatched in FactsOf(record.Payload).OfType<Fact.MessageDispatched>())
            foreach (var link in links)
                link.Send(new Ports.Session.HostFrame.Prompt($"prompt:{dispatched.Id}", dispatched.Id, "early", "demo/scripted", "opencode", false));
    }

    /// <summary>The box takes what it sends for acknowledged.</summary>
    public static void TrimWhenSent(SimBox box, long n) => box.After(TimeSpan.Zero, () => box.Step(new Coordinator.Sandbox.Bridge.BridgeInput.Received(new Coordinator.Sandbox.Bridge.HostFrame.Ack(n, BridgeWindow.Default))));

    /// <summary>The record as a fold that has lost a kind of fact reads it.</summary>
    public static JournalRecord Forgetting(JournalRecord record, Func<Fact, bool> isForgotten) => With(record, facts => facts.Where(fact => !isForgotten(fact)));

    /// <summary>The record as a fold that has lost a part of a fact reads it.</summary>
    public static JournalRecord Changing(JournalRecord record, Func<Fact, Fact> change) => With(record, facts => facts.Select(change));

    private static JournalRecord With(JournalRecord record, Func<IEnumerable<Fact>, IEnumerable<Fact>> read)
    {
        var events = RecordEvents.Read(record) is { } batch ? batch.Utf8 : default;
        return record with { Payload = RecordCodec.Encode([.. read(RecordCodec.Decode(record).Facts)], events.Span) };
    }

    private static IReadOnlyList<Fact> FactsOf(ReadOnlyMemory<byte> payload) =>
        RecordCodec.Decode(new(1, 1, 0, JournalRecord.CurrentSchema, RecordEvents.JsonCodec, payload, default)).Facts;
}
