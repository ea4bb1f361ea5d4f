using System.Text.Json;
using Coordinator.Ports;
using Coordinator.Ports.Session;

namespace Coordinator.Tests.WalkingSkeleton.World;

/// <summary>One public event as a client reads it.</summary>
public sealed record SeenEvent(long Seq, DateTimeOffset At, string Type, string? Message, JsonElement Data)
{
    public string? Text(string field) => Data.TryGetProperty(field, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    public override string ToString() => $"{Seq} {Type} {Text("code")}{Text("reason")}".TrimEnd();
}

/// <summary>A client that follows a session from its first event and resumes after its last whenever it is cut off.</summary>
public sealed class SessionWatch(Func<ISessionHost> host, SessionKey key, TimeProvider time)
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    private readonly Lock gate = new();
    private readonly List<SeenEvent> seen = [];
    private readonly List<(Func<SeenEvent, bool> Wanted, TaskCompletionSource<SeenEvent> Found)> waiting = [];

    public IReadOnlyList<SeenEvent> Seen
    {
        get
        {
            lock (gate) return [.. seen];
        }
    }

    /// <summary>The first event that is wanted, when it is seen.</summary>
    public Task<SeenEvent> FirstAsync(Func<SeenEvent, bool> wanted)
    {
        lock (gate)
        {
            if (seen.Find(happened => wanted(happened)) is { } found) return Task.FromResult(found);
            var waiter = new TaskCompletionSource<SeenEvent>(TaskCreationOptions.RunContinuationsAsynchronously);
            waiting.Add((wanted, waiter));
            return waiter.Task;
        }
    }

    public async Task FollowAsync(CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                var followed = await host().SubscribeAsync(key, new(1, Seen.Count), cancellationToken);
                if (followed.IsSuccess)
                {
                    await using var subscription = followed.Value;
                    await foreach (var batch in subscription.ReadAsync(cancellationToken)) Take(batch);
                }
            }
            catch (PortException)
            {
                // Whatever cut the client off, it asks again after its last event.
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }

            await Task.Delay(Pause, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private void Take(EventBatch batch)
    {
        lock (gate)
        {
            foreach (var slice in batch.Events)
            {
                using var envelope = JsonDocument.Parse(batch.Utf8.Slice(slice.Offset, slice.Length));
                var root = envelope.RootElement;
                Add(new(root.GetProperty("seq").GetInt64(), root.GetProperty("at").GetDateTimeOffset(), root.GetProperty("type").GetString()!, root.TryGetProperty("messageId", out var id) ? id.GetString() : null, root.GetProperty("data").Clone()));
            }
        }
    }

    private void Add(SeenEvent happened)
    {
        seen.Add(happened);
        foreach (var waiter in waiting.FindAll(waiter => waiter.Wanted(happened)))
        {
            waiting.Remove(waiter);
            waiter.Found.SetResult(happened);
        }
    }
}
