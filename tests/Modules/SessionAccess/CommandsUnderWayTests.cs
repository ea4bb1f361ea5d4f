using System.Net.WebSockets;
using System.Text;
using Coordinator.Modules.SessionAccess.Clients;
using Coordinator.Modules.SessionAccess.Sockets;
using Coordinator.Tests.Support;
using Xunit;

namespace Coordinator.Tests.Modules.SessionAccess;

/// <summary>What comes on a client's socket while a command of it is under way, frame by frame.</summary>
public sealed class CommandsUnderWayTests : IDisposable
{
    private readonly ToldSocket peer = new();
    private readonly FrameSocket socket;
    private readonly CancellationTokenSource ended = new();
    private readonly List<string?> begun = [];
    private readonly List<TaskCompletionSource> commands = [];
    private readonly TaskCompletionSource first = new();

    public CommandsUnderWayTests() => socket = new(peer, new ManualTime());

    public void Dispose()
    {
        socket.Dispose();
        ended.Dispose();
    }

    [Fact]
    public async Task A_ping_is_answered_at_once_and_the_others_in_order_one_at_a_time()
    {
        peer.Tell(Prompt("c1"), Prompt("c2"), """{"type":"ping","id":"7"}""");
        var running = StartAsync();
        Assert.Equal(["7"], begun);

        first.SetResult();
        Assert.Equal(["7", "c1"], begun);
        commands[0].SetResult();
        Assert.Equal(["7", "c1", "c2"], begun);
        commands[1].SetResult();

        Assert.Null(await running);
    }

    [Theory]
    [InlineData(10, CommandsUnderWay.MaxWaiting)]
    [InlineData(CommandsUnderWay.MaxWaitingBytes / 2, 2)]
    [InlineData(200 * 1024, 1)]
    public async Task Hostile__what_waits_behind_a_command_is_bounded_and_then_nothing_is_received(int characters, int most)
    {
        peer.Tell([.. Enumerable.Range(0, most + 3).Select(n => Prompt($"c{n}", new string('x', characters)))]);

        var running = StartAsync();

        Assert.Equal(most, peer.Taken);
        first.SetResult();
        Assert.Equal(most + 1, peer.Taken);
        for (var n = 0; n < most + 3; n++) commands[n].SetResult();
        Assert.Null(await running);
        Assert.Equal(Enumerable.Range(0, most + 3).Select(n => $"c{n}"), begun);
    }

    [Theory]
    [InlineData(null, 1000)]
    [InlineData("junk", SocketClose.ProtocolError)]
    public async Task What_ends_the_socket_ends_it_after_what_came_before(string? last, int code)
    {
        peer.Tell(Prompt("c1"), last);
        var running = StartAsync();
        Assert.Equal(2, peer.Taken);

        first.SetResult();
        Assert.False(running.IsCompleted);
        commands[0].SetResult();

        Assert.Equal(code, (await running)!.Code);
        Assert.Equal(2, peer.Taken);
    }

    [Fact]
    public async Task Once_the_socket_ends_nothing_that_waits_is_begun_and_what_is_under_way_is_awaited()
    {
        peer.Tell(Prompt("c1"));
        var running = StartAsync();

        await ended.CancelAsync();
        Assert.False(running.IsCompleted);
        first.SetResult();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
        Assert.Empty(begun);
        peer.Tell([null]);
        Assert.Equal(FrameKind.Closed, (await socket.ReceiveAsync()).Kind);
    }

    [Fact]
    public async Task What_a_command_fails_with_ends_it_and_the_receive_that_was_begun_is_the_next_ones()
    {
        var running = StartAsync();

        first.SetException(new IOException("The store is away."));

        await Assert.ThrowsAsync<IOException>(() => running);
        peer.Tell(Prompt("c1"));
        Assert.Equal(FrameKind.Text, (await socket.ReceiveAsync()).Kind);
    }

    private static string Prompt(string id, string text = "hello") => $$"""{"type":"prompt","clientId":"{{id}}","text":"{{text}}"}""";

    private Task<SocketClose?> StartAsync() => new CommandsUnderWay(socket, RunAsync).RunAsync(first.Task, ended.Token);

    private Task RunAsync(ClientFrame frame, CancellationToken cancellationToken)
    {
        begun.Add(frame is ClientFrame.Prompt prompt ? prompt.ClientId : ((ClientFrame.Ping)frame).Id);
        if (frame is ClientFrame.Ping) return Task.CompletedTask;
        commands.Add(new());
        return commands[^1].Task;
    }

    /// <summary>A peer whose frames are there when a test tells them; null is its close.</summary>
    private sealed class ToldSocket : SendingSocket
    {
        private readonly Queue<byte[]?> told = [];
        private TaskCompletionSource? awaited;
        private int offset;

        /// <summary>How many frames, and closes, have been received.</summary>
        public int Taken { get; private set; }

        public void Tell(params string?[] frames)
        {
            foreach (var frame in frames) told.Enqueue(frame is null ? null : Encoding.UTF8.GetBytes(frame));
            awaited?.TrySetResult();
        }

        public override async ValueTask<ValueWebSocketReceiveResult> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellationToken)
        {
            if (told.Count == 0) await (awaited = new()).Task;
            if (told.Peek() is not { } frame)
            {
                Taken++;
                return new(0, WebSocketMessageType.Close, true);
            }

            var count = Math.Min(buffer.Length, frame.Length - offset);
            frame.AsMemory(offset, count).CopyTo(buffer);
            offset += count;
            if (offset < frame.Length) return new(count, WebSocketMessageType.Text, false);
            offset = 0;
            told.Dequeue();
            Taken++;
            return new(count, WebSocketMessageType.Text, true);
        }
    }
}
