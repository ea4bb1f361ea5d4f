using System.Collections.Immutable;
using Coordinator.Modules.Sessions.Facts;
using Coordinator.Ports;
using Coordinator.Ports.Record;
using Coordinator.Ports.Session;

namespace Coordinator.Modules.Sessions.State;

/// <summary>
/// <c>Evolve(state, facts, events) -> state</c>: the fold. Total, pure, and the same whether the facts of a record are
/// given at once or as they came about.
/// </summary>
public static class Evolver
{
    public static SessionState Apply(SessionState state, Fact fact) => fact switch
    {
        Fact.SessionCreated f => state with { Status = SessionStatus.Created, CreatedBy = f.By, Settings = f.Settings, Title = f.Title, CreatedAt = f.At, KnownEnvironment = f.KnownEnvironment },
        Fact.SessionRenamed f => state with { Title = f.Title },
        Fact.SessionArchived => state with { Status = SessionStatus.Archived },
        Fact.MessageQueued f => Queued(state, f),
        Fact.MessageEdited f => OnMessage(state, f.Id, m => m with { Text = f.Text }),
        Fact.MessageMoved f => Moved(state, f),
        Fact.MessageDispatched f => Dispatched(state, f),
        Fact.MessageStarted f => OnMessage(state, f.Id, m => m with { Status = MessageStatus.Running, StartedAt = f.At }),
        Fact.MessageCancelling f => Cancelling(state, f),
        Fact.MessageEnded f => Ended(state, f),
        Fact.UsageRecorded f => Used(state, f),
        Fact.BridgeSpoolOpened f => state with { Bridge = new(f.Generation, f.SpoolId, 0) },
        Fact.BridgeAdvanced f => state with { Bridge = state.Bridge! with { N = f.N } },
        Fact.PermissionAsked f => state with
        {
            Permissions = state.Permissions.SetItem(f.Id.ToString(), new(f.Id, f.Message, f.Permission, f.Patterns, f.EventData, f.ExpiresAt, null, null, null)),
        },
        Fact.PermissionExtended f => Extended(state, f),
        Fact.PermissionDecided f => Decided(state, f),
        Fact.PermissionSettled f => state with { Permissions = state.Permissions.Remove(f.Id.ToString()) },
        Fact.EnvironmentDetected f => state with { Environment = f.Json },
        Fact.GraceGiven f => state with { Graces = [.. state.Graces.Add(f.At).TakeLast(FoldFormat.Graces)] },
        Fact.RunFlushed f => state with
        {
            Outbox = state.Outbox.RemoveAll(r => r.Id == f.Run),
            Refused = state.Refused.RemoveAll(r => r.Run.Id == f.Run),
            FlushFailures = 0,
            FlushNotBefore = null,
        },
        Fact.RunFlushFailed { Refused: { } run, RefusedUntil: { } until } => Refused(state, run, until),
        Fact.RunFlushFailed f => state with { FlushFailures = state.FlushFailures + 1, FlushNotBefore = f.NotBefore },
        _ => state with { Sandbox = SandboxEvolver.Apply(state.Sandbox, fact) },
    };

    /// <summary>Folds a whole record in.</summary>
    public static SessionState Apply(SessionState state, JournalRecord record)
    {
        var decoded = RecordCodec.Decode(record);
        foreach (var fact in decoded.Facts) state = Apply(state, fact);
        if (RecordEvents.Read(decoded.Record) is { } events)
            foreach (var slice in events.Events) state = Shown(state, slice.Seq, events.Utf8.Span.Slice(slice.Offset, slice.Length));
        return state with { Version = record.Version, Seq = Math.Max(state.Seq, record.LastSeq), LastAt = record.At }; // events that are gone count too
    }

    /// <summary>Counts a public event and adds it to the digest of the message that runs.</summary>
    public static SessionState Shown(SessionState state, long seq, ReadOnlySpan<byte> envelope) =>
        state.Running is { } running && seq >= running.FirstSeq
            ? state with { Seq = seq, Digest = state.Digest.Add(envelope) }
            : state with { Seq = seq };

    private static SessionState Queued(SessionState state, Fact.MessageQueued f)
    {
        var message = new Message { Id = f.Id, By = f.By, Text = f.Text, Model = f.Model, QueuedAt = f.At, RetryOf = f.RetryOf };
        if (f.Request is { } request) state = RequestOrder.Remember(state, RequestOrder.KeyOf(request), new(request.BodyHash, f.Id, f.At));
        return state with { Status = SessionStatus.Active, Open = state.Open.Add(message) };
    }

    private static SessionState Cancelling(SessionState state, Fact.MessageCancelling f)
    {
        if (f.Request is { } request) state = RequestOrder.Remember(state, RequestOrder.KeyOf(request), new(request.BodyHash, f.Id, f.At));
        return OnMessage(state, f.Id, m => m.CancellingAt is null ? m with { CancellingAt = f.At, CancelReason = f.Reason } : m);
    }

    private static SessionState Moved(SessionState state, Fact.MessageMoved f)
    {
        var message = state.Open.Find(m => m.Id == f.Id);
        if (message is null) return state;
        var rest = state.Open.Remove(message);
        var index = f.Before is { } before ? rest.FindIndex(m => m.Id == before) : rest.Count;
        return state with { Open = rest.Insert(index < 0 ? rest.Count : index, message) };
    }

    private static SessionState Dispatched(SessionState state, Fact.MessageDispatched f)
    {
        state = OnMessage(state, f.Id, m => m with
        {
            Status = MessageStatus.Dispatched,
            Sandbox = f.Sandbox,
            Generation = f.Generation,
            SeedHistory = f.SeedHistory,
            FirstSeq = f.FirstSeq,
            DispatchedAt = f.At,
        });
        return state with { Digest = RunDigest.Empty, HasConversation = true };
    }

    private static SessionState Ended(SessionState state, Fact.MessageEnded f)
    {
        var message = state.Open.Find(m => m.Id == f.Id);
        if (message is null) return state;
        var wasDispatched = message.Status != MessageStatus.Queued;
        message = message with { Status = f.Outcome, FailureCode = f.Code, FailureDetail = f.Detail, EndedAt = f.At, Text = Preview(message.Text) };
        var ended = state.Ended.Add(message);
        if (ended.Count > FoldFormat.RememberedMessages) ended = ended.RemoveAt(0);
        state = state with
        {
            Open = state.Open.RemoveAll(m => m.Id == f.Id),
            Ended = ended,
            Permissions = state.Permissions.RemoveRange(state.Permissions.Where(p => p.Value.Message == f.Id).Select(p => p.Key)),
            Sandbox = state.Sandbox with { IdleSince = f.At },
            Digest = wasDispatched ? RunDigest.Empty : state.Digest,
        };
        if (!wasDispatched) return state;
        return state with { RunCount = state.RunCount + 1, Outbox = state.Outbox.Add(RunOf(state, message, f)) };
    }

    private static RunRecord RunOf(SessionState state, Message m, Fact.MessageEnded f) => new(
        new RunId(PrefixedId.Derive("run", state.Key.ToString(), m.Id.ToString())),
        state.Key.Organization,
        state.Key.Session,
        m.Id,
        state.RunCount + 1,
        m.By,
        m.Model,
        state.Settings!.Agent,
        m.Sandbox,
        m.Generation,
        state.Sandbox.Handle?.Provider ?? string.Empty,
        f.Outcome.ToString().ToLowerInvariant(),
        f.Code,
        m.Usage,
        m.QueuedAt,
        m.StartedAt ?? m.DispatchedAt ?? m.QueuedAt,
        f.At,
        m.FirstSeq,
        f.LastSeq,
        f.Digest);

    private static SessionState Refused(SessionState state, RunId id, DateTimeOffset notBefore)
    {
        if (state.Refused.Find(r => r.Run.Id == id) is { } known) return state with { Refused = state.Refused.Replace(known, known with { Times = known.Times + 1, NotBefore = notBefore }) };
        if (state.Outbox.Find(r => r.Id == id) is not { } run) return state;
        return state with { Outbox = state.Outbox.Remove(run), Refused = state.Refused.Add(new(run, 1, notBefore)), FlushFailures = 0, FlushNotBefore = null };
    }

    private static SessionState Used(SessionState state, Fact.UsageRecorded f)
    {
        if (f.Message is { } id) state = OnMessage(state, id, m => m with { Usage = m.Usage.Plus(f.Usage) });
        var calls = f.Call is { } call ? state.RecordedCalls.Add(call) : state.RecordedCalls;
        if (calls.Count > FoldFormat.RecordedCalls) calls = calls.RemoveAt(0);
        return state with { Usage = state.Usage.Plus(f.Usage) with { Model = string.Empty }, RecordedCalls = calls };
    }

    private static SessionState Extended(SessionState state, Fact.PermissionExtended f) => state.Permissions.TryGetValue(f.Id.ToString(), out var question)
        ? state with { Permissions = state.Permissions.SetItem(f.Id.ToString(), question with { ExpiresAt = f.ExpiresAt, Extensions = question.Extensions + 1 }) }
        : state;

    private static SessionState Decided(SessionState state, Fact.PermissionDecided f)
    {
        if (!state.Permissions.TryGetValue(f.Id.ToString(), out var question)) return state;
        if (f.Request is { } request) state = RequestOrder.Remember(state, RequestOrder.KeyOf(request), new(request.BodyHash, question.Message, f.At));
        var grants = f.Decision == PermissionDecision.Session
            ? state.Grants.Union(question.Patterns.Select(p => $"{question.Permission}\n{p}"))
            : state.Grants;
        return state with
        {
            Grants = grants,
            Permissions = state.Permissions.SetItem(f.Id.ToString(), question with
            {
                Permission = string.Empty,
                Patterns = [],
                EventData = PermissionQuestion.NotKept,
                Decision = f.Decision,
                Note = f.Note,
                DecidedAt = f.At,
            }),
        };
    }

    private static SessionState OnMessage(SessionState state, MessageId id, Func<Message, Message> change)
    {
        var index = state.Open.FindIndex(m => m.Id == id);
        return index < 0 ? state : state with { Open = state.Open.SetItem(index, change(state.Open[index])) };
    }

    /// <summary>The first 200 UTF-16 units, never half a character.</summary>
    internal static string Preview(string text)
    {
        if (text.Length <= 200) return text;
        return text[..(char.IsHighSurrogate(text[199]) ? 199 : 200)] + "…";
    }
}
