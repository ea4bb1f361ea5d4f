using Coordinator.Client;
using Coordinator.Tests.Support;
using Xunit;

namespace Coordinator.Tests.Journey;

/// <summary>The client's socket over hosts that leave it in every way.</summary>
public sealed class SessionSocketTests : IAsyncDisposable
{
    private const string Message = "msg_00000000000000000000000001";
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(60);

    private readonly ManualTime time = new();
    private CoordinatorClient? client;

    public ValueTask DisposeAsync()
    {
        client?.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task A_socket_that_is_cut_within_a_frame_is_made_anew_after_the_last_event_that_was_given_out()
    {
        var taken = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var host = await ScriptedSocketHost.StartAsync(
            async peer =>
            {
                await peer.EventsAsync(2, 3);
                await taken.Task;
                await peer.CutAsync();
            },
            peer => peer.EventsAsync(4));
        var socket = Socket(host);

        Assert.Equal(new long[] { 1, 2, 3, 4 }, await TakeAsync(socket, 4, took: seq => _ = seq == 3 && taken.TrySetResult()));
        Assert.Equal(["1.1", "1.3"], host.Subscribed);
        Assert.Equal((1, "1.4"), (socket.Reconnects, socket.Cursor));
    }

    [Fact]
    public async Task A_host_that_restarts_is_come_back_to_when_it_said_and_not_before()
    {
        await using var host = await ScriptedSocketHost.StartAsync(
            async peer =>
            {
                await peer.EventsAsync(2);
                await peer.SendAsync(new { type = "restarting", returnAfterMs = 25_000 });
                await peer.CloseAsync(1012, "The host restarts.");
            },
            peer => peer.EventsAsync(3));
        var socket = Socket(host, time);
        var lost = Lost(socket);
        await using var events = socket.FollowAsync("1.1", CancellationToken.None).GetAsyncEnumerator();
        Assert.True(await events.MoveNextAsync().AsTask().WaitAsync(Bound));

        var next = events.MoveNextAsync().AsTask();
        Assert.Contains("1012", (await lost.WaitAsync(Bound)).Message, StringComparison.Ordinal);
        await time.WaitForTimersAsync(1);
        time.Advance(TimeSpan.FromMilliseconds(24_999));
        Assert.Single(host.Subscribed);
        await Eventually.AdvanceAsync(time, TimeSpan.FromMilliseconds(1), () => next.IsCompleted);

        Assert.True(await next);
        Assert.Equal((3, 1), (events.Current.Seq, socket.Reconnects));
        Assert.Equal(["1.1", "1.2"], host.Subscribed);
    }

    [Theory]
    [InlineData(4408)]
    [InlineData(1011)]
    public async Task A_socket_that_the_host_gave_up_is_resumed_after_the_last_event(int code)
    {
        await using var host = await ScriptedSocketHost.StartAsync(
            async peer =>
            {
                await peer.EventsAsync(2);
                await peer.CloseAsync(code, "Resume after the last one.");
            },
            peer => peer.EventsAsync(3));

        Assert.Equal(new long[] { 2, 3 }, await TakeAsync(Socket(host), 2, "1.1"));
        Assert.Equal(["1.1", "1.2"], host.Subscribed);
    }

    [Theory]
    [InlineData(4400, 400, "protocol_error")]
    [InlineData(4401, 401, "credential_invalid")]
    [InlineData(4404, 404, "session_not_found")]
    [InlineData(4410, 410, "cursor_invalid")]
    public async Task A_close_that_is_for_good_ends_the_following_with_its_reason(int close, int status, string code)
    {
        await using var host = await ScriptedSocketHost.StartAsync(peer => peer.CloseAsync(close, "For good."));

        var end = await Assert.ThrowsAsync<CoordinatorException>(() => TakeAsync(Socket(host), 1, "1.1"));

        Assert.Equal((status, code, "For good."), (end.Status, end.Code, end.Message));
        Assert.Single(host.Subscribed);
    }

    [Fact]
    public async Task A_host_that_takes_long_to_find_the_session_is_waited_for()
    {
        var found = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var host = await ScriptedSocketHost.StartAsync(peer => peer.EventsAsync(2));
        host.Found = found.Task;
        var socket = Socket(host, time);
        await using var events = socket.FollowAsync("1.1", CancellationToken.None).GetAsyncEnumerator();
        var first = events.MoveNextAsync().AsTask();

        for (var unanswered = 0; unanswered < 4; unanswered++) await PassQuietlyAsync();
        found.SetResult();

        Assert.True(await first.WaitAsync(Bound));
        Assert.Equal((2, 0), (events.Current.Seq, socket.Reconnects));
    }

    [Fact]
    public async Task A_silent_host_is_asked_whether_it_is_there_and_left_when_it_does_not_say()
    {
        var pings = 0;
        await using var host = await ScriptedSocketHost.StartAsync(
            async peer =>
            {
                await peer.EventsAsync(2);
                while (await peer.ReceiveAsync() is { } frame)
                {
                    if (Text(frame, "type") == "ping" && Interlocked.Increment(ref pings) == 1) await peer.EventsAsync(3);
                }
            },
            peer => peer.EventsAsync(4));
        var socket = Socket(host, time);
        var lost = Lost(socket);
        await using var events = socket.FollowAsync("1.1", CancellationToken.None).GetAsyncEnumerator();
        Assert.True(await events.MoveNextAsync().AsTask().WaitAsync(Bound));

        await PassQuietlyAsync();
        Assert.True(await events.MoveNextAsync().AsTask().WaitAsync(Bound));
        var next = events.MoveNextAsync().AsTask();
        await PassQuietlyAsync();
        Assert.False(lost.IsCompleted);
        await PassQuietlyAsync();

        Assert.IsType<IOException>(await lost.WaitAsync(Bound));
        await Eventually.AdvanceAsync(time, TimeSpan.FromSeconds(1), () => next.IsCompleted);
        Assert.True(await next);
        Assert.Equal(4, events.Current.Seq);
        Assert.Equal(["1.1", "1.3"], host.Subscribed);
    }

    [Fact]
    public async Task What_a_host_of_a_later_history_says_is_resumed_in_that_history()
    {
        await using var host = await ScriptedSocketHost.StartAsync(async peer =>
        {
            await peer.SendAsync(new { type = "ready", protocol = 1, cursor = "2.1" });
            await peer.EventsAsync(2);
        });
        var socket = Socket(host);

        await TakeAsync(socket, 1, "2.1");

        Assert.Equal("2.2", socket.Cursor);
    }

    [Fact]
    public async Task A_view_that_shows_more_questions_than_a_frame_of_events_holds_is_taken()
    {
        await using var host = await ScriptedSocketHost.StartAsync(async peer =>
        {
            var questions = Enumerable.Range(0, 8).Select(_ => new { detail = new string('x', 60 * 1024) });
            await peer.SendAsync(new { type = "view", session = new { permissionsOpen = questions } });
            await peer.EventsAsync(2);
        });
        var socket = Socket(host);

        Assert.Equal(new long[] { 2 }, await TakeAsync(socket, 1, "1.1"));
        Assert.Equal(0, socket.Reconnects);
    }

    [Fact]
    public async Task A_prompt_goes_over_the_socket_and_is_answered_by_its_message()
    {
        await using var host = await ScriptedSocketHost.StartAsync(async peer =>
        {
            await peer.EventsAsync(2);
            var prompt = (await peer.ReceiveAsync())!.Value;
            Assert.Equal(("prompt", "hello", "once"), (Text(prompt, "type"), Text(prompt, "text"), Text(prompt, "clientId")));
            await peer.SendAsync(new { type = "accepted", clientId = "once", messageId = Message, position = 3 });
            Assert.Equal(("cancel", Message), (Text((await peer.ReceiveAsync())!.Value, "type"), Message));
            await peer.SendAsync(new { type = "done", @for = "cancel", id = Message });
        });
        var socket = Socket(host);
        await using var events = socket.FollowAsync("1.1", CancellationToken.None).GetAsyncEnumerator();
        Assert.True(await events.MoveNextAsync().AsTask().WaitAsync(Bound));

        var accepted = await socket.PromptAsync("hello", CancellationToken.None, clientId: "once").WaitAsync(Bound);
        await socket.CancelAsync(accepted.MessageId, CancellationToken.None).WaitAsync(Bound);

        Assert.Equal(new AcceptedMessage(Message, 3), accepted);
        Assert.Empty(host.PromptsOverHttp);
    }

    [Fact]
    public async Task A_prompt_whose_answer_is_lost_with_its_socket_is_asked_again_over_HTTP_with_the_same_key()
    {
        await using var host = await ScriptedSocketHost.StartAsync(async peer =>
        {
            await peer.EventsAsync(2);
            await peer.ReceiveAsync();
            await peer.CutAsync();
        });
        var socket = Socket(host);
        await using var events = socket.FollowAsync("1.1", CancellationToken.None).GetAsyncEnumerator();
        Assert.True(await events.MoveNextAsync().AsTask().WaitAsync(Bound));

        var accepted = await socket.PromptAsync("hello", CancellationToken.None, clientId: "once").WaitAsync(Bound);

        Assert.Equal("msg_http", accepted.MessageId);
        Assert.Equal(["once"], host.PromptsOverHttp);
    }

    [Fact]
    public async Task A_socket_is_opened_over_a_connection_of_its_own_and_not_over_one_that_calls_left()
    {
        await using var host = await ScriptedSocketHost.StartAsync(peer => peer.EventsAsync(2));

        Assert.Equal(new long[] { 1, 2 }, await TakeAsync(Socket(host), 2)); // a call for the first event, then the socket

        Assert.Equal(2, host.Over.Count);
        Assert.Equal(2, host.Over.Distinct().Count());
    }

    [Fact]
    public async Task A_host_that_takes_a_connection_and_does_not_open_the_socket_is_left_after_ten_seconds()
    {
        await using var host = await ScriptedSocketHost.StartAsync(peer => peer.EventsAsync(2));
        host.Unanswered = 1;
        var socket = Socket(host, time);
        var lost = Lost(socket);
        await using var events = socket.FollowAsync("1.1", CancellationToken.None).GetAsyncEnumerator();

        var next = events.MoveNextAsync().AsTask();
        await Eventually.HoldsAsync(() => host.Over.Count == 1 && time.NextIn == TimeSpan.FromSeconds(10), "The opening that is not answered");
        time.Advance(TimeSpan.FromSeconds(10));

        Assert.True(((CoordinatorException)await lost.WaitAsync(Bound)).IsTransient);
        await Eventually.AdvanceAsync(time, TimeSpan.FromSeconds(1), () => next.IsCompleted);
        Assert.True(await next);
        Assert.Equal(2, host.Over.Count);
    }

    [Fact]
    public async Task Who_asks_between_two_events_is_answered_even_when_more_events_wait_than_are_kept()
    {
        var flooded = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var host = await ScriptedSocketHost.StartAsync(async peer =>
        {
            for (var seq = 2; seq < 200; seq++) await peer.EventsAsync(seq);
            flooded.SetResult();
        });
        var socket = Socket(host);
        await using var events = socket.FollowAsync("1.1", CancellationToken.None).GetAsyncEnumerator();
        Assert.True(await events.MoveNextAsync().AsTask().WaitAsync(Bound));
        await flooded.Task.WaitAsync(Bound);

        var asked = socket.PromptAsync("hello", CancellationToken.None, clientId: "once");

        Assert.Equal("msg_http", (await asked.WaitAsync(Bound)).MessageId);
        for (var seq = 3; seq < 200; seq++)
        {
            Assert.True(await events.MoveNextAsync().AsTask().WaitAsync(Bound));
            Assert.Equal(seq, events.Current.Seq);
        }

        Assert.Equal(0, socket.Reconnects);
    }

    private SessionSocket Socket(ScriptedSocketHost host, TimeProvider? clock = null)
    {
        client = new CoordinatorClient(host.Address, "ck_x");
        return new(client, "ses_1", clock);
    }

    /// <summary>Lets the time pass after which a client asks, once it waits for that and for nothing else.</summary>
    private async Task PassQuietlyAsync()
    {
        var quiet = TimeSpan.FromSeconds(4);
        await Eventually.HoldsAsync(() => time.NextIn == quiet, "The client's silence");
        time.Advance(quiet);
    }

    private static Task<Exception> Lost(SessionSocket socket)
    {
        var lost = new TaskCompletionSource<Exception>(TaskCreationOptions.RunContinuationsAsynchronously);
        socket.Disconnected += reason => lost.TrySetResult(reason);
        return lost.Task;
    }

    private static async Task<long[]> TakeAsync(SessionSocket socket, int count, string? after = null, Action<long>? took = null)
    {
        using var bound = new CancellationTokenSource(Bound);
        List<long> seqs = [];
        await foreach (var e in socket.FollowAsync(after, bound.Token))
        {
            seqs.Add(e.Seq);
            took?.Invoke(e.Seq);
            if (seqs.Count == count) break;
        }

        return [.. seqs];
    }

    private static string? Text(System.Text.Json.JsonElement frame, string name) => frame.GetProperty(name).GetString();
}
