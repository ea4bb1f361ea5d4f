using System.Net.WebSockets;
using System.Text;
using Coordinator.Modules.SessionAccess;
using Coordinator.Modules.SessionAccess.Clients;
using Coordinator.Modules.SessionAccess.Sockets;
using Coordinator.Ports.Session;
using Coordinator.Tests.Support;
using Xunit;

namespace Coordinator.Tests.Modules.SessionAccess;

/// <summary>What many clients of one session share, and how a restart brings them back.</summary>
public sealed class ManyFollowersTests
{
    [Fact]
    public async Task A_batch_is_serialized_once_and_its_very_bytes_go_to_every_socket()
    {
        var batch = Batch(1);
        var sockets = new[] { new RecordingSocket(), new RecordingSocket(), new RecordingSocket() };

        foreach (var socket in sockets) await SendAsync(socket, batch);

        var frames = sockets.Select(socket => Assert.Single(socket.Sent)).ToList();
        Assert.Equal("""{"type":"events","events":[{"seq":1}]}""", Encoding.UTF8.GetString(frames[0].Span));
        Assert.All(frames, frame => Assert.True(frame.Span == frames[0].Span, "A socket got a copy of its own."));
    }

    [Fact]
    public async Task Batches_that_wait_together_are_one_send()
    {
        var socket = new RecordingSocket();

        await SendAsync(socket, Batch(1), Batch(2), Batch(3));

        Assert.Equal("""{"type":"events","events":[{"seq":1},{"seq":2},{"seq":3}]}""", Encoding.UTF8.GetString(Assert.Single(socket.Sent).Span));
    }

    [Theory]
    [InlineData(0, 0.4)]
    [InlineData(200, 0.4)]
    [InlineData(5_000, 10)]
    [InlineData(1_000_000, 30)]
    public void Half_of_the_sockets_reconnect_in_the_same_second__a_restart_tells_each_when_over_a_span_for_so_many(int following, double seconds)
    {
        Assert.Equal(TimeSpan.FromSeconds(seconds), ReturnSchedule.Span(following));
    }

    [Fact]
    public void Who_has_left_counts_no_more_among_those_that_come_back()
    {
        var schedule = new ReturnSchedule();
        for (var i = 0; i < 50_000; i++) schedule.Joined();
        Assert.Contains(Enumerable.Range(0, 1_000), _ => schedule.Next() > TimeSpan.FromSeconds(1));

        for (var i = 0; i < 50_000; i++) schedule.Left();
        Assert.DoesNotContain(Enumerable.Range(0, 1_000), _ => schedule.Next() > TimeSpan.FromSeconds(1));
    }

    private static EventBatch Batch(long seq)
    {
        var utf8 = Encoding.UTF8.GetBytes($$"""{"seq":{{seq}}}""");
        return new(seq, seq, utf8, [new(seq, 0, utf8.Length)]);
    }

    private static async Task SendAsync(RecordingSocket recording, params EventBatch[] batches)
    {
        using var socket = new FrameSocket(recording, new ManualTime());
        var outbox = new ClientOutbox(socket);
        foreach (var batch in batches) await outbox.AddAsync(batch, default);
        await outbox.SendAllAsync(new CancellationToken(canceled: true)).WaitAsync(SocketClient.Bound);
    }

    /// <summary>Keeps what it is handed, uncopied.</summary>
    private sealed class RecordingSocket : SendingSocket
    {
        public List<ReadOnlyMemory<byte>> Sent { get; } = [];

        public override ValueTask SendAsync(ReadOnlyMemory<byte> buffer, WebSocketMessageType messageType, bool endOfMessage, CancellationToken cancellationToken)
        {
            Sent.Add(buffer);
            return ValueTask.CompletedTask;
        }
    }
}
