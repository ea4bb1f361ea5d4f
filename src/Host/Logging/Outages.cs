using System.Globalization;
using Coordinator.Ports;

namespace Coordinator.Host.Logging;

/// <summary>
/// The outages that one logger tells of: failures of what is behind a port, which come with every call for as long as it is away. The first
/// of an event and a kind is told at once. Of those that follow one is told each <see cref="Interval"/>, with how many more there were,
/// and once an interval has passed without any, that it is over and how long it was.
/// </summary>
internal sealed class Outages(ILogger logger, TimeProvider time) : IDisposable
{
    /// <summary>How often an outage that lasts is told of.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    private readonly Lock gate = new();
    private readonly Dictionary<Key, Outage> lasting = []; // as many as there are events and kinds
    private bool disposed;

    /// <summary>True when a failure is one of an outage, such as there is with every dependency now and then. Where the program or its data may be wrong it is none.</summary>
    public static bool IsOf(Exception? failure) => failure is PortException
    {
        IsDefect: false, Kind: PortFailureKind.Unavailable or PortFailureKind.Timeout or PortFailureKind.Unauthorized or PortFailureKind.Limited or PortFailureKind.Full
    };

    /// <summary>True when the failure is to be told now; else it is counted.</summary>
    public bool Begins(LogLevel level, EventId id, PortFailureKind kind, string text)
    {
        var key = new Key(level, id, kind);
        lock (gate)
        {
            if (disposed) return true;
            var begins = !lasting.TryGetValue(key, out var outage);
            if (begins)
            {
                lasting[key] = outage = new(time.GetTimestamp());
                outage.Timer = time.CreateTimer(_ => Look(key), null, Interval, Interval);
            }

            outage!.Total++;
            outage.LastAt = time.GetTimestamp();
            if (!begins) (outage.LeftOut, outage.Last) = (outage.LeftOut + 1, text);
            return begins;
        }
    }

    /// <summary>What was left out until now is told.</summary>
    public void Dispose()
    {
        Key[] keys;
        lock (gate)
        {
            disposed = true;
            keys = [.. lasting.Keys];
        }

        foreach (var key in keys) Look(key);
        lock (gate)
        {
            foreach (var outage in lasting.Values) outage.Timer?.Dispose();
            lasting.Clear();
        }
    }

    private void Look(Key key)
    {
        int leftOut;
        Outage? outage;
        lock (gate)
        {
            if (!lasting.TryGetValue(key, out outage)) return;
            (leftOut, outage.LeftOut) = (outage.LeftOut, 0);
            if (leftOut == 0)
            {
                lasting.Remove(key);
                outage.Timer?.Dispose();
            }
        }

        if (leftOut > 0) Write(key.Level, key.Id, leftOut == 1 ? outage.Last : string.Create(CultureInfo.InvariantCulture, $"{outage.Last} (… and {leftOut - 1} more like it)"));
        else if (outage.Total > 1) Write(LogLevel.Information, key.Id, string.Create(CultureInfo.InvariantCulture, $"Not for a minute any more, after {outage.Total} times in {time.GetElapsedTime(outage.BeganAt, outage.LastAt).TotalSeconds:F0} s: {outage.Last}"));
    }

    private void Write(LogLevel level, EventId id, string text) => logger.Log(level, id, text, null, static (said, _) => said);

    private readonly record struct Key(LogLevel Level, EventId Id, PortFailureKind Kind);

    /// <summary>Read and written under the lock; of one that is over nobody writes any more.</summary>
    private sealed class Outage(long beganAt)
    {
        public long BeganAt { get; } = beganAt;

        public long LastAt { get; set; }

        public int Total { get; set; }

        public int LeftOut { get; set; }

        public string Last { get; set; } = "";

        public ITimer? Timer { get; set; }
    }
}
