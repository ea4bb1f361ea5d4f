using System.Net.WebSockets;
using Coordinator.Modules.SessionAccess.Clients;
using Coordinator.Modules.SessionAccess.Sockets;
using Coordinator.Ports.Session;
using Coordinator.Tests.Support;
using Xunit;

namespace Coordinator.Tests.Modules.SessionAccess;

public sealed class SlowPeerTests
{
    [Theory]
    [InlineData(2, 1, 200)]
    [InlineData(100 * 1024, 1, 7)]
    [InlineData(500 * 1024, 1, 3)]
    public async Task A_paused_client_makes_the_server_buffer_200_MB__here_it_is_dropped_and_little_waits(int bytes, int least, int most)
    {
        var time = new ManualTime();
        using var stuck = new StuckSocket();
        using var socket = new FrameSocket(stuck, time);
        var outbox = new ClientOutbox(socket);
        using var ended = new CancellationTokenSource();
        var sending = outbox.SendAllAsync(ended.Token);

        await outbox.AddAsync(Batch(bytes), default);
        await Eventually.HoldsAsync(() => stuck.IsSending, "The first send");
        using var patience = new CancellationTokenSource();
        var added = 0;
        var blocked = ValueTask.CompletedTask;
        while (blocked.IsCompleted && added++ < 10_000) blocked = outbox.AddAsync(Batch(bytes), patience.Token);

        Assert.InRange(added, least, most);
        await patience.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => blocked.AsTask());
        time.Advance(FrameSocket.SendTimeout);
        Assert.Equal(SocketClose.Slow, (await sending.WaitAsync(SocketClient.Bound)).Code);
    }

    [Theory]
    [InlineData(100 * 1024, 1, 7)]
    [InlineData(1024 * 1024, 1, 3)]
    public async Task What_waits_for_a_client_counts_with_the_views_that_wait_with_it(int bytesOfView, int least, int most)
    {
        var time = new ManualTime();
        using var stuck = new StuckSocket();
        using var socket = new FrameSocket(stuck, time);
        var outbox = new ClientOutbox(socket);
        using var ended = new CancellationTokenSource();
        var sending = outbox.SendAllAsync(ended.Token);
        EventBatch Viewed() => Batch(2) with { View = new(new(1, 1), new byte[bytesOfView]) };

        await outbox.AddAsync(Viewed(), default);
        await Eventually.HoldsAsync(() => stuck.IsSending, "The first send");
        using var patience = new CancellationTokenSource();
        var added = 0;
        var blocked = ValueTask.CompletedTask;
        while (blocked.IsCompleted && added++ < 10_000) blocked = outbox.AddAsync(Viewed(), patience.Token);

        Assert.InRange(added, least, most);
        await patience.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => blocked.AsTask());
        time.Advance(FrameSocket.SendTimeout);
        Assert.Equal(SocketClose.Slow, (await sending.WaitAsync(SocketClient.Bound)).Code);
    }

    private static EventBatch Batch(int bytes) => new(1, 1, new byte[bytes], [new(1, 0, bytes)]);

    /// <summary>A peer whose window is full: nothing that is sent ever leaves.</summary>
    private sealed class StuckSocket : SendingSocket
    {
        public volatile bool IsSending;

        public override Task SendAsync(ArraySegment<byte> buffer, WebSocketMessageType messageType, bool endOfMessage, CancellationToken cancellationToken)
        {
            var never = new TaskCompletionSource().Task.WaitAsync(cancellationToken);
            IsSending = true;
            return never;
        }
    }
}
