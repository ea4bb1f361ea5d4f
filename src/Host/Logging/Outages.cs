using System.Globalization;
using Coordinator.Ports;

namespace Coordinator.Host.Logging;

/// <summary>
/// The outages that one logger tells of: failures of what is behind a port, which come with every call for as long as it is away. The first
/// of an event, a kind and a text, which names what failed, is told at once. Of those that follow one is told each <see cref="Interval"/>, with
/// how many more there were and when the last of them was, and once an interval has passed without any, that it is over and how long it was. Where more than
/// <see cref="MostTexts"/> of an event and kind last, such as one of each session, those beyond are folded as if they had one text.
/// </summary>
internal sealed class Outages(ILogger logger, TimeProvider time) : IDisposable
{
    /// <summary>How often an outage that lasts is told of.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    /// <summary>Of how many texts of one event and kind each is told by itself; those beyond are told as one.</summary>
    public const int MostTexts = 32;

    private readonly Lock gate = new();
    private readonly Dictionary<Key, Outage> lasting = []; // at most MostTexts and one of each event and kind
    private readonly Dictionary<Group, int> texts = []; // how many of them are there by their text
    private bool disposed;

    /// <summary>True when a failure is one of an outage, such as there is with every dependency now and then. Where the program or its data may be wrong it is none.</summary>
    public static bool IsOf(Exception? failure) => failure is PortException
    {
        IsDefect: false, Kind: PortFailureKind.Unavailable or PortFailureKind.Timeout or PortFailureKind.Unauthorized or PortFailureKind.Limited or PortFailureKind.Full
    };

    /// <summary>True when the failure is to be told now; else it is counted.</summary>
    public bool Begins(LogLevel level, EventId id, PortFailureKind kind, string text)
    {
        lock (gate)
        {
            if (disposed) return true;
            var key = KeyOf(new(level, id, kind), text);
            var begins = !lasting.TryGetValue(key, out var outage);
            outage ??= Add(key);
            outage.Total++;
            outage.LastAt = time.GetTimestamp();
            outage.LastTime = time.GetUtcNow();
            outage.Last = text;
            if (!begins) outage.LeftOut++;
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
            texts.Clear();
        }
    }

    private Key KeyOf(Group group, string text)
    {
        var own = new Key(group, text);
        return lasting.ContainsKey(own) || texts.GetValueOrDefault(group) < MostTexts ? own : new(group, null);
    }

    private Outage Add(Key key)
    {
        var outage = new Outage(time.GetTimestamp());
        lasting[key] = outage;
        if (key.Text is not null) texts[key.Group] = texts.GetValueOrDefault(key.Group) + 1;
        outage.Timer = time.CreateTimer(_ => Look(key), null, Interval, Interval);
        return outage;
    }

    private void Look(Key key)
    {
        int leftOut;
        Outage? outage;
        lock (gate)
        {
            if (!lasting.TryGetValue(key, out outage)) return;
            (leftOut, outage.LeftOut) = (outage.LeftOut, 0);
            if (leftOut == 0) Remove(key, outage);
        }

        var (group, many) = (key.Group, key.Text is null);
        var lastAt = string.Create(CultureInfo.InvariantCulture, $"last at {outage.LastTime:HH:mm:ss} UTC"); // by now it may be over
        if (leftOut == 1) Write(group.Level, group.Id, $"{outage.Last} ({lastAt})");
        else if (leftOut > 1) Write(group.Level, group.Id, string.Create(CultureInfo.InvariantCulture, $"{outage.Last} (… and {leftOut - 1} more {(many ? "of this event and kind, some of which name others" : "like it")}, {lastAt})"));
        else if (outage.Total > 1) Write(LogLevel.Information, group.Id, string.Create(CultureInfo.InvariantCulture, $"Not for a minute any more, after {outage.Total} times in {time.GetElapsedTime(outage.BeganAt, outage.LastAt).TotalSeconds:F0} s: {outage.Last}{(many ? " (and others)" : "")}"));
    }

    private void Remove(Key key, Outage outage)
    {
        lasting.Remove(key);
        outage.Timer?.Dispose();
        if (key.Text is null) return;
        if (texts[key.Group] == 1) texts.Remove(key.Group);
        else texts[key.Group]--;
    }

    private void Write(LogLevel level, EventId id, string text) => logger.Log(level, id, text, null, static (said, _) => said);

    private readonly record struct Group(LogLevel Level, EventId Id, PortFailureKind Kind);

    /// <summary>Without a text: all those that came while as many texts were told of as may be.</summary>
    private readonly record struct Key(Group Group, string? Text);

    /// <summary>Read and written under the lock; of one that is over nobody writes any more.</summary>
    private sealed class Outage(long beganAt)
    {
        public long BeganAt { get; } = beganAt;

        public long LastAt { get; set; }

        public DateTimeOffset LastTime { get; set; }

        public int Total { get; set; }

        public int LeftOut { get; set; }

        public string Last { get; set; } = "";

        public ITimer? Timer { get; set; }
    }
}
