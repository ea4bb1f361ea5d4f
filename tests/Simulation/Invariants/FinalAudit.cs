using Coordinator.Modules.Sessions.State;
using Coordinator.Ports.Session;
using Coordinator.Tests.Simulation.World;

namespace Coordinator.Tests.Simulation.Invariants;

/// <summary>What must hold once everything that was broken is whole again and time has gone on.</summary>
internal static class FinalAudit
{
    /// <summary>What is still under way; null: everything has ended.</summary>
    public static string? Unsettled(SimWorld world)
    {
        for (var i = 0; i < world.Plan.Sessions; i++)
        {
            var audit = world.Audit.Of(i);
            if (audit.Messages.FirstOrDefault(m => m.Outcome is null) is { } open) return $"session {i}: {open.Id} has not ended";
            if (audit.Questions.FirstOrDefault(q => q.Decision is null) is { } question) return $"session {i}: {question.Id} is not answered";
            if (!audit.IsBoxEnded) return $"session {i}: its box has not ended";
            var row = world.Database.Row(i);
            if (audit.Messages.FirstOrDefault(m => m.Dispatched && !row.Runs.Exists(r => r.Message == m.Id)) is { } unflushed) return $"session {i}: {unflushed.Id} has no run in the history";
            if (world.Clients.FirstOrDefault(c => c.Session == i && row.Version > 0 && (c.Cursor?.Incarnation != row.Incarnation || c.Cursor?.Seq != row.Seq)) is { } behind)
                return $"session {i}: a client is at {behind.Cursor?.ToString() ?? "nothing"}, the journal at {row.Incarnation}.{row.Seq}";
        }

        return world.Provider.Running.FirstOrDefault() is { } box ? $"{box} runs" : null;
    }

    /// <summary>What all deadlines of everything that waits add up to, were each to be used up, one message after another.</summary>
    public static TimeSpan Bound(SimWorld world, int waiting)
    {
        var limits = world.Plan.Limits;
        var box = (limits.Graces + 2) * (limits.SandboxStart + limits.SandboxGiveUp);
        var oneMessage = box + limits.MessageTurn + ((limits.Graces + 2) * (limits.MessageStart + limits.MessageCancel));
        return ((waiting + 1) * oneMessage) + limits.SandboxIdle + TimeSpan.FromMinutes(15);
    }

    /// <summary>Which invariant it breaks when that never ends.</summary>
    public static string InvariantOf(string unsettled) =>
        unsettled.Contains("run in the history", StringComparison.Ordinal) ? Invariant.OneRunPerMessage
        : unsettled.Contains("answered", StringComparison.Ordinal) ? Invariant.AnsweredOnce
        : unsettled.Contains("client", StringComparison.Ordinal) ? Invariant.ShownIsDurable
        : unsettled.Contains("runs", StringComparison.Ordinal) ? Invariant.NoBoxIsLeft
        : Invariant.EverythingEnds;

    /// <summary>What clients were shown of the present incarnation is what the journal holds of it.</summary>
    public static void Clients(SimWorld world)
    {
        foreach (var client in world.Clients)
            if (client.ShownWrongly() is { } seq) throw new InvariantBrokenException(Invariant.ShownIsDurable, $"session {client.Session}: a client was shown an event {seq} that the journal does not hold");
    }

    /// <summary>Every dispatched message has one run, with its own events, as the journal holds them.</summary>
    public static void Runs(SimWorld world)
    {
        for (var i = 0; i < world.Plan.Sessions; i++)
        {
            var row = world.Database.Row(i);
            foreach (var message in world.Audit.Of(i).Messages.Where(m => m.Dispatched))
            {
                var runs = row.Runs.FindAll(r => r.Message == message.Id);
                if (runs.Count != 1) throw new InvariantBrokenException(Invariant.OneRunPerMessage, $"session {i}: {message.Id} has {runs.Count} runs");
                var run = runs[0];
                if ((run.FirstSeq, run.LastSeq) != (message.FirstSeq, message.LastSeq)) throw new InvariantBrokenException(Invariant.OneRunPerMessage, $"session {i}: the run of {message.Id} covers {run.FirstSeq}..{run.LastSeq}, its events are {message.FirstSeq}..{message.LastSeq}");
                if (run.EventsDigest != DigestOf(row, message)) throw new InvariantBrokenException(Invariant.OneRunPerMessage, $"session {i}: the digest of the run of {message.Id} is not that of its events");
            }
        }
    }

    private static string DigestOf(Journal.SessionRow row, MessageAudit message)
    {
        var events = row.Events.GetRange((int)message.FirstSeq - 1, (int)(message.LastSeq - message.FirstSeq) + 1);
        var (digest, merged) = (RunDigest.Empty, RunDigest.Empty);
        foreach (var envelope in events) digest = digest.Add(envelope.Span);
        foreach (var envelope in EventMerge.Of(events)) merged = merged.Add(envelope.Span);
        if (merged.Text != digest.Text) throw new InvariantBrokenException(Invariant.OneRunPerMessage, $"the run of {message.Id} has another digest once its events are merged");
        return digest.Text;
    }
}
