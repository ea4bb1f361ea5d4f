using System.Diagnostics;
using System.Globalization;
using Coordinator.Client;

namespace Coordinator.Bench.Driving;

/// <summary>An event that a client was shown, and when.</summary>
internal sealed record Shown(long Seq, string Type, string? MessageId, int? Piece, long At);

/// <summary>
/// Somebody who follows a session from its first event with the client library, which reconnects by itself. It holds every event against the
/// one before: a gap, a duplicate or a piece of text out of turn is a flaw, and ends whatever waits.
/// </summary>
internal sealed class SteadyFollower : IAsyncDisposable
{
    private static readonly TimeSpan Bound = TimeSpan.FromMinutes(2);

    private readonly CoordinatorClient client;
    private readonly SessionSocket socket;
    private readonly string session;
    private readonly TimeProvider time;
    private readonly CancellationTokenSource left = new();
    private readonly Lock gate = new();
    private readonly List<Shown> log = [];
    private readonly Task following;
    private TaskCompletionSource more = NewSignal();
    private string? flaw;
    private int pieces;

    /// <param name="client">Its own, which ends with it.</param>
    public SteadyFollower(CoordinatorClient client, string session, TimeProvider time)
    {
        (this.client, this.session, this.time) = (client, session, time);
        socket = new(client, session, time);
        following = Task.Run(FollowAsync);
    }

    /// <summary>Everything it was shown so far.</summary>
    public IReadOnlyList<Shown> Log
    {
        get
        {
            lock (gate) return [.. log];
        }
    }

    /// <summary>The first that fits of what it was shown, once it was.</summary>
    public async Task<Shown> FirstAsync(string what, Func<Shown, bool> fits)
    {
        var began = Stopwatch.GetTimestamp();
        for (var seen = 0; ;)
        {
            Task next;
            lock (gate)
            {
                if (flaw is not null) throw new InvalidOperationException(flaw);
                for (; seen < log.Count; seen++)
                    if (fits(log[seen])) return log[seen];
                next = more.Task;
            }

            var left = Bound - Stopwatch.GetElapsedTime(began);
            if (left <= TimeSpan.Zero || await Task.WhenAny(next, Task.Delay(left, time)) != next)
                throw new InvalidOperationException(string.Create(CultureInfo.InvariantCulture, $"Whoever follows {session} was not shown {what}: event {log.Count} was the last, after {socket.Reconnects} reconnects."));
        }
    }

    /// <summary>The longest that nothing came between two moments.</summary>
    public (long From, long To) LongestStill(long from, long to)
    {
        long[] moments = [from, .. Log.Select(shown => shown.At).Where(at => at > from && at < to), to];
        return moments.Zip(moments.Skip(1)).MaxBy(still => still.Second - still.First);
    }

    public async ValueTask DisposeAsync()
    {
        await left.CancelAsync();
        await following;
        client.Dispose();
        left.Dispose();
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private async Task FollowAsync()
    {
        try
        {
            await foreach (var e in socket.FollowAsync(null, left.Token)) Add(e, Stopwatch.GetTimestamp());
        }
        catch (OperationCanceledException) when (left.IsCancellationRequested)
        {
            return;
        }
        catch (CoordinatorException refused)
        {
            Say($"Whoever follows {session} was refused: {refused.Code}, {refused.Message}");
        }
    }

    private void Add(SessionEvent e, long at)
    {
        int? piece = e.Type == "agent.text" ? RoamingBox.NumberOf(e.Text("text")!) : null;
        lock (gate)
        {
            if (e.Seq != log.Count + 1) flaw ??= string.Create(CultureInfo.InvariantCulture, $"Whoever follows {session} was shown event {e.Seq} after {log.Count}.");
            if (piece is { } number && number != pieces++) flaw ??= string.Create(CultureInfo.InvariantCulture, $"Whoever follows {session} was shown piece {number} as the one with number {pieces - 1}.");
            log.Add(new(e.Seq, e.Type, e.MessageId, piece, at));
            Signal();
        }
    }

    private void Say(string what)
    {
        lock (gate)
        {
            flaw ??= what;
            Signal();
        }
    }

    private void Signal()
    {
        more.TrySetResult();
        more = NewSignal();
    }
}
