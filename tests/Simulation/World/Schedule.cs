namespace Coordinator.Tests.Simulation.World;

/// <summary>What is to happen, by virtual time; what falls on the same instant happens in the order it was asked for.</summary>
internal sealed class Schedule
{
    private readonly PriorityQueue<Action, Key> queue = new(Key.Order);
    private long asked;

    /// <summary>Virtual time since the world began.</summary>
    public TimeSpan Now { get; private set; }

    public void At(TimeSpan time, Action what) => queue.Enqueue(what, new(time > Now ? time : Now, ++asked));

    /// <summary>The next thing, if it is due by <paramref name="until"/>; time moves to it.</summary>
    public Action? Take(TimeSpan until)
    {
        if (!queue.TryPeek(out _, out var key) || key.At > until) return null;
        Now = key.At;
        return queue.Dequeue();
    }

    /// <summary>Time goes on to then, when nothing is due before.</summary>
    public void Pass(TimeSpan until)
    {
        if (until > Now) Now = until;
    }

    private readonly record struct Key(TimeSpan At, long Asked)
    {
        public static IComparer<Key> Order { get; } = Comparer<Key>.Create(static (a, b) => a.At == b.At ? a.Asked.CompareTo(b.Asked) : a.At.CompareTo(b.At));
    }
}
