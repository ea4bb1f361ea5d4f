using Coordinator.Modules.Kernel.Requests;
using Coordinator.Ports;
using Coordinator.Ports.Session;
using MediatR;

namespace Coordinator.Modules.SessionAccess.Following;

/// <summary>A page of events after a cursor (null: from the first), at most <see cref="Limit"/> and about 4 MiB.</summary>
public sealed record ReadEvents(TenantContext Tenant, SessionId Session, SessionCursor? After, int? Limit) : ITenantRequest<EventPage>
{
    public const int MaxLimit = 1_000;
    public const int DefaultLimit = 200;
    public const int MaxBytes = 4 * 1024 * 1024;
}

/// <summary>Envelopes as they were written, where the page ends, and whether the journal holds more already.</summary>
public sealed record EventPage(IReadOnlyList<ReadOnlyMemory<byte>> Envelopes, SessionCursor End, bool HasMore);

internal sealed class ReadEventsValidator : IValidator<ReadEvents>
{
    public Problem? Validate(ReadEvents request) =>
        request.Limit is < 1 or > ReadEvents.MaxLimit ? SessionProblems.LimitInvalid(ReadEvents.MaxLimit) : null;
}

internal sealed class ReadEventsHandler(ISessionJournal journal) : IRequestHandler<ReadEvents, Result<EventPage>>
{
    public async Task<Result<EventPage>> Handle(ReadEvents request, CancellationToken cancellationToken)
    {
        var key = request.Tenant.Key(request.Session);
        if (await journal.FindHeadAsync(key, cancellationToken) is not { } head) return SessionProblems.NotFound;
        var after = request.After ?? new SessionCursor(head.Incarnation, head.Floor);
        if (after.Incarnation != head.Incarnation || after.Seq > head.Seq || after.Seq < head.Floor) return SessionProblems.CursorInvalid;

        var limit = request.Limit ?? ReadEvents.DefaultLimit;
        var envelopes = new List<ReadOnlyMemory<byte>>(Math.Min(limit, 256));
        var (bytes, seq) = (0L, after.Seq);
        await foreach (var record in journal.ReadEventsAsync(key, after.Seq, cancellationToken))
        {
            if (RecordEvents.ReadAfter(record, seq) is not { } batch) continue;
            foreach (var slice in batch.Events)
            {
                if (envelopes.Count == limit || (bytes > 0 && bytes + slice.Length > ReadEvents.MaxBytes)) return Page(envelopes, head, seq);
                envelopes.Add(batch.Utf8.Slice(slice.Offset, slice.Length));
                bytes += slice.Length;
                seq = slice.Seq;
            }
        }

        return Page(envelopes, head, seq);
    }

    private static EventPage Page(List<ReadOnlyMemory<byte>> envelopes, SessionHead head, long seq) =>
        new(envelopes, new(head.Incarnation, seq), seq < head.Seq);
}
