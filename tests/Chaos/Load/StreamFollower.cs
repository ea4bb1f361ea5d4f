using Coordinator.Client;
using Coordinator.Tests.Support.Following;

namespace Coordinator.Tests.Chaos.Load;

/// <summary>Follows a session by the product's own client (SSE), from the first event on.</summary>
internal sealed class StreamFollower : IAsyncDisposable
{
    private readonly CancellationTokenSource ended = new();
    private readonly SessionFollower follower;
    private readonly Task following;

    public StreamFollower(CoordinatorClient client, string session)
    {
        follower = new(client, session);
        following = Task.Run(FollowAsync);
    }

    public ShownLog Log { get; } = new();

    /// <summary>Why it follows no more, in words.</summary>
    public string? Problem { get; private set; }

    public static ShownEvent Shown(SessionEvent e) => new(e.Seq, e.At, e.Type, e.MessageId, e.Data.GetRawText()) { From = e.From };

    public async ValueTask DisposeAsync()
    {
        await ended.CancelAsync();
        await following;
        ended.Dispose();
    }

    private async Task FollowAsync()
    {
        try
        {
            await foreach (var e in follower.FollowAsync(null, ended.Token)) Log.Add(Shown(e));
        }
        catch (OperationCanceledException) when (ended.IsCancellationRequested)
        {
            // It was told to.
        }
        catch (Exception failure)
        {
            Problem = $"{failure.GetType().Name}: {failure.Message}";
        }
    }
}
