using System.Threading.Channels;
using Coordinator.Ports;
using Coordinator.Ports.Session;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Coordinator.Adapters.Postgres.Journal;

/// <summary>
/// Writes the appends of its share of the sessions, one statement in flight: what gathers meanwhile goes into the next.
/// Every append gets an answer; a failure never goes beyond the appends it belongs to.
/// </summary>
internal sealed partial class AppendWriter : IAsyncDisposable
{
    /// <summary>How often a group that lost against another statement, or was not written when its connection broke, is tried.</summary>
    private const int Tries = 4;

    /// <summary>How often the pool's other work goes first before a group is gathered that is smaller than the last one was.</summary>
    private const int Turns = 16;

    /// <summary>The order of every group, so that two hosts that write the same sessions lock them in the same order.</summary>
    private static readonly Comparison<PendingAppend> BySession = (one, other) => one.Lease.Key.Session.Value.CompareTo(other.Lease.Key.Session.Value);

    private readonly NpgsqlDataSource source;
    private readonly JournalRoom room;
    private readonly JournalOptions options;
    private readonly DatabasePatience patience;
    private readonly HeldSessions held;
    private readonly AppendWriter? apart;
    private readonly TimeProvider time;
    private readonly ILogger logger;

#pragma warning disable RS0030 // Every session has one append in flight, whose bytes the pipeline bounds; refused here, it could only be tried again. Not the kind for a single reader: that one does not count.
    private readonly Channel<PendingAppend> queue = Channel.CreateUnbounded<PendingAppend>();
#pragma warning restore RS0030

    private readonly Queue<PendingAppend> heldBack = new();
    private readonly HashSet<SessionKey> gathered = [];
    private readonly CancellationTokenSource stopping = new();
    private readonly Task running;
    private WriterConnection? connection;

    /// <param name="system">Where its connection comes from, and who is told whether there is room.</param>
    /// <param name="options">The bounds of a group, and of a statement's time.</param>
    /// <param name="patience">With a database that is away.</param>
    /// <param name="held">The sessions whose appends are at <paramref name="apart"/>.</param>
    /// <param name="apart">Who goes on with appends to rows that somebody holds; null: this writer is the one.</param>
    /// <param name="time">Measures how long an append has waited for its row.</param>
    /// <param name="logger">For what callers are not told.</param>
    public AppendWriter(SystemDataSource system, JournalOptions options, DatabasePatience patience, HeldSessions held, AppendWriter? apart, TimeProvider time, ILogger logger)
    {
        (source, room, this.options, this.patience, this.held, this.apart, this.time, this.logger) = (system.Source, system.Room, options, patience, held, apart, time, logger);
        running = Task.Run(RunAsync);
    }

    /// <summary>False when the writer has ended.</summary>
    public bool TryEnqueue(PendingAppend pending) => queue.Writer.TryWrite(pending);

    /// <summary>Writes what was enqueued, without waiting for a database that is away, and ends.</summary>
    public async ValueTask DisposeAsync()
    {
        queue.Writer.TryComplete();
        await stopping.CancelAsync();
        await running;
        stopping.Dispose();
    }

    private async Task RunAsync()
    {
        var group = new List<PendingAppend>();
        var last = 0;
        while (heldBack.Count > 0 || await queue.Reader.WaitToReadAsync())
        {
            await LetComeAsync(last);
            Gather(group);
            last = group.Count;
            try
            {
                await WriteAsync(group, Tries);
            }
            catch (Exception failure)
            {
                LogFailed(failure, group.Count);
                await DropConnectionAsync();
                foreach (var pending in group) pending.Fail(DatabaseFailure.ToPort(failure, "appending", effectMayHaveHappened: true));
            }

            await LeaveAsync(group);
            group.Clear();
        }

        await DropConnectionAsync();
    }

    /// <summary>
    /// Gives the sessions that were just answered their turn, so that what they write next shares a statement and a commit
    /// with what waits already: without it the first of them to come back would go alone. A session that writes alone waits for nobody.
    /// </summary>
    private async ValueTask LetComeAsync(int last)
    {
        for (var turn = 0; turn < Turns && queue.Reader.Count + heldBack.Count < last; turn++) await Task.Yield();
    }

    /// <summary>Takes what waits, up to the group's bounds, one append per session: a second one stands on the first.</summary>
    private void Gather(List<PendingAppend> group)
    {
        gathered.Clear();
        var bytes = 0;
        var again = heldBack.Count;
        while (group.Count < options.GroupAppends && bytes < options.GroupBytes)
        {
            if (!(again-- > 0 ? heldBack.TryDequeue(out var next) : queue.Reader.TryRead(out next))) break;
            if (apart is not null && held.Has(next!.Lease.Key))
            {
                WaitApart(next, apart);
            }
            else if (!gathered.Add(next!.Lease.Key))
            {
                heldBack.Enqueue(next);
            }
            else if (next.TryTakeUp())
            {
                group.Add(next);
                bytes += next.Bytes;
            }
            else if (apart is null)
            {
                held.Remove(next.Lease.Key);
            }
        }

        group.Sort(BySession);
    }

    /// <summary>Writes the group, and answers for all of it; returns how it was refused when that may be some of its appends' own trouble, and then answers for none.</summary>
    private async Task<Exception?> TryWriteAsync(IReadOnlyList<PendingAppend> group, int tries)
    {
        if (group.Count == 0) return null;
        if (await ConnectAsync(group) is not { } writer) return null;
        int count;
        try
        {
            count = await writer.Statement.ExecuteAsync(group);
            if (count > 0) room.Written();
        }
        catch (PostgresException refused) when (DatabaseFailure.WasRolledBack(refused))
        {
            if (DatabaseFailure.IsOfContention(refused) && !DatabaseFailure.IsOfLock(refused) && tries > 1) return await TryWriteAsync(group, tries - 1);
            if (!DatabaseFailure.IsOfServer(refused)) return refused;
            await RefuseAsync(group, refused);
            return null;
        }
        catch (Exception failure) when (DatabaseFailure.IsOne(failure))
        {
            LogAnswerLost(DatabaseFailure.ToPort(failure, "appending", effectMayHaveHappened: true), group.Count);
            await SettleAsync(group, writer.Process, failure, tries);
            return null;
        }
        catch (Exception failure) when (failure is ArgumentException or InvalidCastException or OverflowException or InvalidOperationException)
        {
            // A value that cannot be put on the wire: nothing was executed, and the connection stopped in mid-message.
            await DropConnectionAsync();
            return failure;
        }

        var written = new bool[group.Count];
        if (count == group.Count) Array.Fill(written, true);
        else if (count > 0 && !await TryFindOutAsync(group, _ => CommitSettlement.LookAsync(source, count, group, written))) return null;
        PendingAppend.Settle(group, written);
        return null;
    }

    /// <summary>Refused for what the server is, not for what it was sent: unwritten, and a server that takes no writes is left.</summary>
    private async Task RefuseAsync(IReadOnlyList<PendingAppend> group, PostgresException refused)
    {
        if (DatabaseFailure.IsReadOnly(refused))
        {
            await DropConnectionAsync();
            DatabaseFailure.LeaveIfReadOnly(source, refused);
        }

        FailAll(group, refused);
    }

    /// <summary>The answer was lost: what the head says counts, and what is not there is written now.</summary>
    private async Task SettleAsync(IReadOnlyList<PendingAppend> group, ServerProcess process, Exception failure, int tries)
    {
        await DropConnectionAsync();
        var written = new bool[group.Count];
        if (!await TryFindOutAsync(group, token => CommitSettlement.LookAsync(source, process, group, written, token), failure)) return;
        for (var i = 0; i < group.Count; i++)
        {
            if (written[i]) group[i].Settle(true);
        }

        List<PendingAppend> missing = [.. group.Where((_, i) => !written[i])];
        LogSettled(group.Count - missing.Count, missing.Count);
        if (tries > 1) await WriteAsync(missing, tries - 1);
        else FailAll(missing, failure);
    }

    /// <summary>False when it could not be found out what of the group was written, and then the group has failed.</summary>
    private async Task<bool> TryFindOutAsync(IReadOnlyList<PendingAppend> group, Func<CancellationToken, Task> look, Exception? failure = null)
    {
        try
        {
            await patience.RunAsync("finding out what was appended", look, stopping.Token);
            return true;
        }
        catch (Exception unknown) // whatever it is: written it may be
        {
            LogUnknown(unknown, group.Count);
            foreach (var pending in group) pending.Fail(Unknown(failure ?? unknown));
            return false;
        }
    }

    /// <summary>The open connection, or a new one; null when there is none to be had, and then the group has failed, unwritten.</summary>
    private async ValueTask<WriterConnection?> ConnectAsync(IReadOnlyList<PendingAppend> group)
    {
        if (connection is { IsOpen: true }) return connection;
        await DropConnectionAsync();
        try
        {
            await patience.RunAsync("connecting to append", async token => connection = await WriterConnection.OpenAsync(source, options, token), stopping.Token);
            return connection;
        }
        catch (PortException failure)
        {
            FailAll(group, failure);
        }
        catch (OperationCanceledException)
        {
            foreach (var pending in group) pending.Fail(new(PortFailureKind.Unavailable, "The host is stopping; this append was not written."));
        }

        return null;
    }

    private async ValueTask DropConnectionAsync()
    {
        if (connection is { } dropped)
        {
            connection = null;
            await dropped.DisposeAsync();
        }
    }

    private static PortException Unknown(Exception why) => why is PortException { InnerException: null } told
        ? new(told.Kind, told.Message, effectMayHaveHappened: true)
        : DatabaseFailure.ToPort(why is PortException { InnerException: { } failure } ? failure : why, "appending, and whether it was written could not be found out", effectMayHaveHappened: true);

    private void FailAll(IReadOnlyList<PendingAppend> group, Exception failure)
    {
        foreach (var pending in group)
        {
            var told = failure as PortException ?? DatabaseFailure.ToPort(failure, "appending; nothing was written");
            if (told.Kind == PortFailureKind.Full) room.Refused(told.Message);
            pending.Fail(told);
        }
    }
}
