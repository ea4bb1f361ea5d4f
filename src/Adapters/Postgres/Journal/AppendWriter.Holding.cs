using Coordinator.Ports;

namespace Coordinator.Adapters.Postgres.Journal;

/// <content>
/// Has appends to rows that somebody holds, such as an operator with an open transaction, wait apart from the others: each of them has its
/// statement wait for as long as a row is waited for, and all who came meanwhile.
/// </content>
internal sealed partial class AppendWriter
{
    /// <summary>Those of the group under way that were not written for a row that somebody holds.</summary>
    private readonly HashSet<PendingAppend> kept = [];

    /// <summary>
    /// Of a group that waited for a lock in vain, keeps those whose heads somebody holds, and writes the rest. False when nobody holds any: it was another row,
    /// or has just been let go.
    /// </summary>
    private async Task<bool> TryWithoutHeldAsync(IReadOnlyList<PendingAppend> group, Exception refused)
    {
        if (await ConnectAsync(group) is not { } writer) return true;
        var free = new bool[group.Count];
        try
        {
            await writer.FindFreeAsync(group, free);
        }
        catch (Exception failure) when (DatabaseFailure.IsOne(failure))
        {
            // Such as a table that is locked as a whole: nobody of the group is better off than another.
            await DropConnectionAsync();
            Array.Clear(free);
        }

        if (free.All(isFree => isFree)) return false;
        for (var i = 0; i < group.Count; i++)
        {
            if (!free[i]) Keep(group[i], refused);
        }

        await WriteAsync([.. group.Where((_, i) => free[i])], Tries);
        return true;
    }

    /// <summary>Unwritten, and to be tried again, unless it has waited for its row for as long as a statement may take.</summary>
    private void Keep(PendingAppend pending, Exception refused)
    {
        pending.HeldSince ??= time.GetTimestamp();
        var isOver = apart is null && (stopping.IsCancellationRequested || time.GetElapsedTime(pending.HeldSince.Value) >= options.StatementTimeout);
        if (isOver) FailAll([pending], refused);
        else if (kept.Add(pending) && apart is not null) LogHeld(pending.Lease.Key, refused);
    }

    /// <summary>The group is over but for those that were kept, which are passed on, or come before what has come since.</summary>
    private async ValueTask LeaveAsync(List<PendingAppend> group)
    {
        if (apart is null)
        {
            var later = heldBack.Count;
            foreach (var pending in group)
            {
                if (kept.Contains(pending) && pending.TryPutBack()) heldBack.Enqueue(pending);
                else held.Remove(pending.Lease.Key);
            }

            while (later-- > 0) heldBack.Enqueue(heldBack.Dequeue());
            if (heldBack.Count == 0 && queue.Reader.Count == 0) await DropConnectionAsync();
        }
        else
        {
            foreach (var pending in kept)
            {
                if (pending.TryPutBack()) WaitApart(pending, apart);
            }
        }

        kept.Clear();
    }

    private void WaitApart(PendingAppend pending, AppendWriter apart)
    {
        held.Add(pending.Lease.Key);
        if (apart.TryEnqueue(pending)) return;
        held.Remove(pending.Lease.Key);
        pending.Fail(new(PortFailureKind.Unavailable, "The host is stopping; this append was not written."));
    }
}
