using System.Collections.Concurrent;
using System.IO.Pipelines;
using Coordinator.Client;
using Coordinator.Tests.Support;
using Coordinator.Tests.Support.Http;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace Coordinator.Tests.Journey;

/// <summary>The client over hosts that die in the middle of something.</summary>
public sealed class ClientTests
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task A_try_whose_host_died_over_it_is_waited_for_with_the_same_key_until_the_key_is_free()
    {
        ConcurrentQueue<string> keys = new();
        await using var host = await LoopbackServer.StartAsync(app => app.MapPost("/v1/sessions/ses_1/messages", (HttpContext context) =>
        {
            keys.Enqueue(context.Request.Headers["Idempotency-Key"].ToString());
            if (keys.Count > 5) return Results.Json(new { messageId = "msg_1", position = 1 }, statusCode: 202);
            context.Response.Headers.RetryAfter = "60";
            return Results.Json(new { code = "request_in_progress", detail = "Still being answered." }, statusCode: 409);
        }));
        var time = new ManualTime();
        using var client = new CoordinatorClient(host.Address, "ck_x", time);
        var told = 0;
        client.WaitingForEarlierTry += () => told++;

        var prompt = client.PromptAsync("ses_1", "hello", CancellationToken.None);
        for (var minute = 0; minute < 5; minute++)
        {
            await time.WaitForTimersAsync(1);
            time.Advance(TimeSpan.FromMinutes(1));
        }

        Assert.Equal("msg_1", (await prompt.WaitAsync(Bound)).MessageId);
        Assert.Equal((6, 1), (keys.Count, told));
        Assert.Single(keys.Distinct());
    }

    [Fact]
    public async Task A_connection_on_which_not_even_a_ping_comes_is_made_anew_where_it_was()
    {
        ConcurrentQueue<string?> resumed = new();
        await using var host = await LoopbackServer.StartAsync(app => app.MapGet("/v1/sessions/ses_1/events", async (HttpContext context) =>
        {
            resumed.Enqueue(context.Request.Query["after"]);
            context.Response.ContentType = "text/event-stream";
            var seq = resumed.Count;
            await context.Response.WriteAsync($"id: 1.{seq}\ndata: {{\"cursor\":\"1.{seq}\",\"seq\":{seq},\"at\":\"2026-01-02T03:04:05Z\",\"type\":\"agent.text\",\"data\":{{}}}}\n\n", context.RequestAborted);
            await context.Response.Body.FlushAsync(context.RequestAborted);
            var gone = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            await using var hangUp = context.RequestAborted.Register(gone.SetResult);
            await gone.Task;
        }));
        var time = new ManualTime();
        using var client = new CoordinatorClient(host.Address, "ck_x");
        var follower = new SessionFollower(client, "ses_1", time);
        var lost = new TaskCompletionSource<Exception>(TaskCreationOptions.RunContinuationsAsynchronously);
        follower.Disconnected += reason => lost.TrySetResult(reason);
        await using var events = follower.FollowAsync(null, CancellationToken.None).GetAsyncEnumerator();
        Assert.True(await events.MoveNextAsync().AsTask().WaitAsync(Bound));

        var next = events.MoveNextAsync().AsTask();
        await time.WaitForTimersAsync(1);
        time.Advance(TimeSpan.FromSeconds(8));
        Assert.IsType<IOException>(await lost.Task.WaitAsync(Bound));
        await time.WaitForTimersAsync(1);
        time.Advance(TimeSpan.FromSeconds(10));

        Assert.True(await next.WaitAsync(Bound));
        Assert.Equal((2, 1), (events.Current.Seq, follower.Reconnects));
        Assert.Equal(["", "1.1"], resumed.Select(after => after ?? ""));
    }

    [Fact]
    public async Task Any_byte_in_time_keeps_a_connection()
    {
        var pipe = new Pipe();
        var time = new ManualTime();
        await using var stream = new WatchedStream(pipe.Reader.AsStream(), TimeSpan.FromSeconds(45), time);
        var buffer = new byte[64];
        for (var ping = 0; ping < 3; ping++)
        {
            var read = stream.ReadAsync(buffer, CancellationToken.None).AsTask();
            time.Advance(TimeSpan.FromSeconds(44));
            await pipe.Writer.WriteAsync(": ping\n\n"u8.ToArray());
            Assert.Equal(8, await read.WaitAsync(Bound));
        }

        var silence = stream.ReadAsync(buffer, CancellationToken.None).AsTask();
        time.Advance(TimeSpan.FromSeconds(45));
        await Assert.ThrowsAsync<IOException>(() => silence.WaitAsync(Bound));
    }

    [Fact]
    public async Task A_reader_that_gives_up_is_told_so_and_not_that_the_connection_was_silent()
    {
        await using var stream = new WatchedStream(new Pipe().Reader.AsStream(), TimeSpan.FromSeconds(45), new ManualTime());
        using var stop = new CancellationTokenSource();

        var read = stream.ReadAsync(new byte[1], stop.Token).AsTask();
        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => read.WaitAsync(Bound));
    }
}
