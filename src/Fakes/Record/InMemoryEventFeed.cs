using Coordinator.Ports;
using Coordinator.Ports.Record;

namespace Coordinator.Fakes;

/// <summary>The feed as topics in memory. Wake-ups can be lost; then those who wait look after <see cref="PollInterval"/>.</summary>
public sealed class InMemoryEventFeed(TimeProvider time) : IEventFeed
{
    private readonly Lock gate = new();
    private readonly Dictionary<(OrganizationId Organization, string Name), Topic> topics = [];
    private TaskCompletionSource published = NewSignal();

    /// <summary>Faults of everything but waiting.</summary>
    public FaultSwitch Faults { get; } = new();

    /// <summary>Faults of waiting.</summary>
    public FaultSwitch WaitFaults { get; } = new();

    /// <summary>True: nobody is told that something was published.</summary>
    public bool LosesWakeUps { get; set; }

    /// <summary>How often somebody waited and was not told.</summary>
    public int WakeUpsLost { get; private set; }

    /// <summary>How long one who waits goes without looking.</summary>
    public TimeSpan PollInterval { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How many wait now.</summary>
    public int Waiting { get; private set; }

    /// <summary>Changes a stored document behind the feed's back, as a broken disk could.</summary>
    public void Tamper(OrganizationId organization, string topic, long watermark, Func<FeedDocument, FeedDocument> change)
    {
        lock (gate)
        {
            var entries = topics[(organization, topic)].Entries;
            var index = entries.FindIndex(stored => stored.Entry.Watermark == watermark);
            entries[index] = entries[index] with { Entry = new(watermark, change(entries[index].Entry.Document)) };
        }
    }

    public ValueTask<IReadOnlyDictionary<string, long>> PublishAsync(OrganizationId organization, IReadOnlyList<FeedDocument> documents, CancellationToken cancellationToken) =>
        Faults.Run<IReadOnlyDictionary<string, long>>(() =>
        {
            FeedRules.Check(documents);
            lock (gate)
            {
                foreach (var document in documents) TopicOf(organization, document.Topic).Take(document, time.GetUtcNow());
                if (LosesWakeUps) WakeUpsLost += Waiting;
                else Interlocked.Exchange(ref published, NewSignal()).TrySetResult();
                return documents.Select(document => document.Topic).Distinct().ToDictionary(name => name, name => TopicOf(organization, name).Head, StringComparer.Ordinal);
            }
        }, cancellationToken);

    public ValueTask<Result<FeedPage>> ReadAsync(OrganizationId organization, string topic, long after, int limit, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        return Faults.Run<Result<FeedPage>>(() =>
        {
            lock (gate)
            {
                var found = topics.GetValueOrDefault((organization, topic)) ?? new();
                if (FeedProblems.StaleCursor(found.Stands, after) is { } stale) return stale;
                FeedEntry[] entries = [.. found.Entries.Select(stored => stored.Entry).Where(entry => entry.Watermark > after).Take(limit)];
                if (entries.FirstOrDefault(entry => !entry.Document.IsIntact) is { } broken)
                    throw new PortException(PortFailureKind.Corrupt, $"What the feed keeps at watermark {broken.Watermark} is not what was published there.");
                return new FeedPage(entries, found.Head);
            }
        }, cancellationToken);
    }

    public ValueTask<FeedTopic> FindTopicAsync(OrganizationId organization, string topic, CancellationToken cancellationToken) =>
        Faults.Run(() => StandsOf(organization, topic), cancellationToken);

    public async ValueTask WaitAsync(OrganizationId organization, IReadOnlyDictionary<string, long> watermarks, CancellationToken cancellationToken)
    {
        lock (gate) Waiting++;
        try
        {
            while (true)
            {
                var signal = published;
                if (await WaitFaults.Run(() => watermarks.Any(known => StandsOf(organization, known.Key).Head != known.Value), cancellationToken)) return;
                using var over = new CancellationTokenSource(PollInterval, time);
                using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, over.Token);
                await signal.Task.WaitAsync(both.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                cancellationToken.ThrowIfCancellationRequested();
            }
        }
        finally
        {
            lock (gate) Waiting--;
        }
    }

    public ValueTask<FeedTopic> PurgeAsync(OrganizationId organization, string topic, long through, CancellationToken cancellationToken) =>
        Faults.Run(() =>
        {
            lock (gate)
            {
                var found = topics.GetValueOrDefault((organization, topic)) ?? new();
                found.Purge(through);
                return found.Stands;
            }
        }, cancellationToken);

    public ValueTask<int> ExpireAsync(TimeSpan age, CancellationToken cancellationToken) =>
        Faults.Run(() =>
        {
            lock (gate)
            {
                var before = topics.Values.Sum(topic => topic.Entries.Count);
                var limit = time.GetUtcNow() - age;
                foreach (var topic in topics.Values) topic.Purge(topic.Entries.LastOrDefault(stored => stored.At <= limit)?.Entry.Watermark ?? 0);
                return before - topics.Values.Sum(topic => topic.Entries.Count);
            }
        }, cancellationToken);

    private FeedTopic StandsOf(OrganizationId organization, string topic)
    {
        lock (gate) return (topics.GetValueOrDefault((organization, topic)) ?? new()).Stands;
    }

    private Topic TopicOf(OrganizationId organization, string name)
    {
        if (!topics.TryGetValue((organization, name), out var topic)) topics.Add((organization, name), topic = new());
        return topic;
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private sealed record Stored(FeedEntry Entry, DateTimeOffset At);

    private sealed class Topic
    {
        private readonly Dictionary<string, long> known = new(StringComparer.Ordinal);

        public List<Stored> Entries { get; } = [];

        public long Head { get; private set; }

        public long Floor { get; private set; }

        public FeedTopic Stands => new(Head, Floor);

        public void Take(FeedDocument document, DateTimeOffset now)
        {
            if (known.GetValueOrDefault(document.DocKey) >= document.DocVersion) return;
            known[document.DocKey] = document.DocVersion;
            Entries.Add(new(new(++Head, document), now));
        }

        public void Purge(long through)
        {
            Floor = Math.Max(Floor, Math.Min(through, Head));
            Entries.RemoveAll(stored => stored.Entry.Watermark <= Floor);
        }
    }
}
