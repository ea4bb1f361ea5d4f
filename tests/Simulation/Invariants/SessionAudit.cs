using Coordinator.Modules.Sessions.Facts;
using Coordinator.Modules.Sessions.State;
using Coordinator.Ports;
using Coordinator.Ports.Session;

namespace Coordinator.Tests.Simulation.Invariants;

/// <summary>
/// Reads a session's journal as it grows, independently of the fold in production, and checks that what it says can be:
/// the queue in order, one message at a time, each ending once, each question answered once, each box ended before the next.
/// </summary>
internal sealed class SessionAudit(int session, Func<TimeSpan> now)
{
    private readonly Dictionary<MessageId, MessageAudit> messages = [];
    private readonly List<MessageId> queue = [];
    private readonly Dictionary<PermissionId, QuestionAudit> questions = [];
    private readonly HashSet<ModelCallId> calls = [];
    private readonly Dictionary<string, long> spools = new(StringComparer.Ordinal);
    private MessageId? running;
    private int generation;
    private bool boxMayRun;
    private bool boxIsWanted;
    private string spool = string.Empty;
    private int spoolOf;
    private bool isSecondSpool;

    public IEnumerable<MessageAudit> Messages => messages.Values;

    public IEnumerable<QuestionAudit> Questions => questions.Values;

    /// <summary>The message that is dispatched and has not ended.</summary>
    public MessageId? Running => running;

    /// <summary>The last box that was asked for.</summary>
    public int Generation => generation;

    public bool IsBoxEnded => !boxMayRun;

    /// <summary>The session has work, or patience, for this box.</summary>
    public bool Wants(int box) => boxIsWanted && box == generation;

    public MessageAudit? Find(MessageId message) => messages.GetValueOrDefault(message);

    public QuestionAudit? Find(PermissionId question) => questions.GetValueOrDefault(question);

    /// <summary>What a model call used stands in the journal.</summary>
    public bool HasCounted(ModelCallId call) => calls.Contains(call);

    /// <summary>How far a spool's events are durable.</summary>
    public long DurableN(string spoolId) => spools.GetValueOrDefault(spoolId);

    public void Take(JournalRecord record, bool lossIsKnown, IReadOnlyList<ReadOnlyMemory<byte>> events)
    {
        isSecondSpool = false;
        foreach (var fact in RecordCodec.Decode(record).Facts) Take(fact);
        var told = false;
        for (var seq = record.FirstSeq; seq <= record.LastSeq; seq++) told |= events[(int)seq - 1].Span.IndexOf("\"type\":\"events.lost\""u8) >= 0;
        if (told && !lossIsKnown) throw Broken(Invariant.NothingIsLostSilently, $"events.lost in {record.FirstSeq}..{record.LastSeq}, though no disk and no database lost anything");
        if (isSecondSpool && !told) throw Broken(Invariant.NothingIsLostSilently, $"box {generation} begins its events anew in {record.FirstSeq}..{record.LastSeq}, and nobody is told that some are lost");
    }

    private void Take(Fact fact)
    {
        switch (fact)
        {
            case Fact.MessageQueued f:
                if (!messages.TryAdd(f.Id, new(f.Id, now()))) throw Broken(Invariant.RunsAtMostOnce, $"{f.Id} is queued twice");
                queue.Add(f.Id);
                break;
            case Fact.MessageMoved f:
                Move(f);
                break;
            case Fact.MessageDispatched f:
                Dispatch(f);
                break;
            case Fact.MessageStarted f:
                if (running != f.Id) throw Broken(Invariant.InOrder, $"{f.Id} starts and was not dispatched");
                break;
            case Fact.MessageEnded f:
                End(f);
                break;
            case Fact.PermissionAsked f:
                if (!questions.TryAdd(f.Id, new(f.Id, f.Message, now()))) throw Broken(Invariant.AnsweredOnce, $"{f.Id} is asked twice");
                break;
            case Fact.PermissionDecided f:
                var question = questions[f.Id];
                if (question.Decision is not null) throw Broken(Invariant.AnsweredOnce, $"{f.Id} is answered {question.Decision} and {f.Decision}");
                question.Decision = f.Decision;
                break;
            case Fact.UsageRecorded { Call: { } call }:
                if (!calls.Add(call)) throw Broken(Invariant.CountedOnce, $"{call} is counted twice");
                break;
            default:
                TakeOfBox(fact);
                break;
        }
    }

    private void TakeOfBox(Fact fact)
    {
        switch (fact)
        {
            case Fact.SandboxRequested f:
                if (boxMayRun) throw Broken(Invariant.NoBoxIsLeft, $"box {f.Generation} is wanted while nobody knows that box {generation} has ended");
                if (f.Generation <= generation) throw Broken(Invariant.NoBoxIsLeft, $"box {f.Generation} follows box {generation}");
                (generation, boxMayRun, boxIsWanted) = (f.Generation, true, true);
                break;
            case Fact.SandboxStopping or Fact.SandboxLost:
                boxIsWanted = false;
                break;
            case Fact.SandboxDestroyed:
                boxMayRun = false;
                break;
            case Fact.BridgeSpoolOpened f:
                isSecondSpool |= spoolOf == f.Generation;
                spoolOf = f.Generation;
                spool = f.SpoolId;
                spools[spool] = 0;
                break;
            case Fact.BridgeAdvanced f:
                if (f.N <= spools[spool]) throw Broken(Invariant.NothingIsLostSilently, $"event {f.N} of {spool} is taken twice");
                spools[spool] = f.N;
                break;
        }
    }

    private void Move(Fact.MessageMoved f)
    {
        if (!queue.Remove(f.Id)) throw Broken(Invariant.InOrder, $"{f.Id} is moved and does not wait");
        var index = f.Before is { } before ? queue.IndexOf(before) : queue.Count;
        if (index < 0) throw Broken(Invariant.InOrder, $"{f.Id} is moved before what does not wait");
        queue.Insert(index, f.Id);
    }

    private void Dispatch(Fact.MessageDispatched f)
    {
        if (messages.GetValueOrDefault(f.Id) is { Dispatched: true }) throw Broken(Invariant.RunsAtMostOnce, $"{f.Id} is dispatched twice");
        if (running is not null) throw Broken(Invariant.InOrder, $"{f.Id} is dispatched while {running} runs");
        if (queue.Count == 0 || queue[0] != f.Id) throw Broken(Invariant.InOrder, $"{f.Id} is dispatched and is not the first of the queue");
        if (f.Generation != generation || !boxMayRun) throw Broken(Invariant.RunsAtMostOnce, $"{f.Id} is dispatched to box {f.Generation}, which is not the session's");
        queue.RemoveAt(0);
        running = f.Id;
        var message = messages[f.Id];
        (message.Dispatched, message.Generation, message.FirstSeq) = (true, f.Generation, f.FirstSeq);
    }

    private void End(Fact.MessageEnded f)
    {
        if (messages.GetValueOrDefault(f.Id) is not { } message) throw Broken(Invariant.RunsAtMostOnce, $"{f.Id} ends and was never queued");
        if (message.Outcome is { } outcome) throw Broken(Invariant.RunsAtMostOnce, $"{f.Id} ends as {f.Outcome} after it ended as {outcome}");
        if (f.Outcome is not (MessageStatus.Completed or MessageStatus.Failed or MessageStatus.Cancelled)) throw Broken(Invariant.RunsAtMostOnce, $"{f.Id} ends as {f.Outcome}");
        if (running == f.Id) running = null;
        else if (!queue.Remove(f.Id)) throw Broken(Invariant.InOrder, $"{f.Id} ends and neither runs nor waits");
        (message.Outcome, message.EndedAt, message.LastSeq) = (f.Outcome, now(), f.LastSeq);
        foreach (var question in questions.Values)
            if (question.Message == f.Id && question.Decision is null) throw Broken(Invariant.AnsweredOnce, $"{f.Id} ends and its question {question.Id} is open");
    }

    private InvariantBrokenException Broken(string invariant, string detail) => new(invariant, $"session {session}: {detail}");
}

/// <summary>What the journal says of one message.</summary>
internal sealed class MessageAudit(MessageId id, TimeSpan at)
{
    public MessageId Id { get; } = id;

    /// <summary>When its acceptance was durable, by the world's clock.</summary>
    public TimeSpan At { get; } = at;

    public bool Dispatched { get; set; }

    public int Generation { get; set; }

    public long FirstSeq { get; set; }

    public MessageStatus? Outcome { get; set; }

    public TimeSpan EndedAt { get; set; }

    public long LastSeq { get; set; }
}

/// <summary>What the journal says of one question.</summary>
internal sealed class QuestionAudit(PermissionId id, MessageId message, TimeSpan at)
{
    public PermissionId Id { get; } = id;

    public MessageId Message { get; } = message;

    public TimeSpan At { get; } = at;

    public PermissionDecision? Decision { get; set; }

    /// <summary>Who was told that their answer counts.</summary>
    public int? AnsweredBy { get; set; }
}
