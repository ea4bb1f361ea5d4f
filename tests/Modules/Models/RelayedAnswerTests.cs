using System.Net;
using System.Text;
using Coordinator.Fakes;
using Coordinator.Ports.Models.Relaying;
using Coordinator.Tests.Support;
using Xunit;
using static Coordinator.Tests.Modules.Models.ChatCall;

namespace Coordinator.Tests.Modules.Models;

/// <summary>A model call whose box asks for the relayed form: it hears of its host before its provider has said anything.</summary>
public sealed class RelayedAnswerTests : IAsyncLifetime
{
    private const string Streamed = """{"model":"fast","stream":true}""";
    private const int Frame = 5;

    private readonly ManualTime time = new();
    private ModelsServer server = null!;
    private HttpClient box = null!;

    public async Task InitializeAsync()
    {
        server = await ModelsServer.StartAsync(time);
        box = server.Box();
        box.DefaultRequestHeaders.Add(RelayedAnswer.RequestHeader, RelayedAnswer.Form);
    }

    public async Task DisposeAsync()
    {
        box.Dispose();
        await server.DisposeAsync();
    }

    [Fact]
    public async Task A_host_is_heard_at_once_and_every_few_seconds_while_the_provider_is_silent()
    {
        var answering = new TaskCompletionSource();
        server.Gateway.Enqueue(ModelAnswer.Stream(Usage + Done) with { Gate = answering.Task });

        using var response = await ModelsServer.SendAsync(box, ChatPath, Streamed);
        Assert.Equal((HttpStatusCode.OK, RelayedAnswer.ContentType), (response.StatusCode, response.Content.Headers.ContentType?.MediaType));
        await using var body = await response.Content.ReadAsStreamAsync();
        Assert.Equal("p\0\0\0\0", await NextAsync(body));
        await Eventually.HoldsAsync(() => time.PendingTimers > 0, "the next ping to be due");
        for (var i = 0; i < 100; i++)
        {
            time.Advance(RelayedAnswer.PingEvery);
            Assert.Equal("p\0\0\0\0", await NextAsync(body));
        }

        answering.SetResult();
        var (head, text) = await ReadAsync(body);

        Assert.Equal((200, "text/event-stream"), (head.Status, head.Headers["Content-Type"].Single()));
        Assert.Equal(Usage + Done, text);
        Assert.Equal(1000, Assert.Single(server.Sessions.Recorded).InputTokens);
        Assert.Equal(0, time.PendingTimers);
    }

    [Fact]
    public async Task What_the_provider_refuses_is_passed_on_at_once_as_the_providers()
    {
        server.Gateway.Enqueue(ModelAnswer.Json(503, """{"error":{"message":"Overloaded"}}""") with { RetryAfter = TimeSpan.FromSeconds(7) });

        var (head, text) = await CallAsync();

        Assert.Equal((503, "7", """{"error":{"message":"Overloaded"}}"""), (head.Status, head.Headers["Retry-After"].Single(), text));
    }

    [Fact]
    public async Task What_the_gateway_refuses_is_passed_on_in_the_form_of_its_wire()
    {
        var (head, text) = await CallAsync(path: "model/v1/nobody/messages");

        Assert.Equal(422, head.Status);
        Assert.StartsWith("application/json", head.Headers["Content-Type"].Single(), StringComparison.Ordinal);
        Assert.Contains("model_provider_unknown", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_answer_that_its_provider_breaks_off_is_not_given_its_end()
    {
        server.Gateway.Enqueue(ModelAnswer.Stream("data: {}\n\n") with { CutAtEnd = true });

        await IsBrokenOffAsync();
    }

    [Fact]
    public async Task A_call_that_something_of_the_control_planes_own_is_away_for_is_broken_off_so_that_its_box_asks_again()
    {
        server.Gateway.Faults.FailBefore(calls: 1);

        await IsBrokenOffAsync();

        Assert.Equal(200, (await CallAsync()).Head.Status);
    }

    [Fact]
    public async Task A_call_that_fails_unforeseen_is_told_so_and_not_tried_again()
    {
        server.Gateway.Otherwise = _ => throw new InvalidOperationException("A bug.");

        var (head, text) = await CallAsync();

        Assert.Equal(500, head.Status);
        Assert.Contains("internal_error", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_mints_tokens_says_that_calls_are_answered_at_once()
    {
        using var bridge = server.WithToken(server.Sessions.Token);
        using var minted = await bridge.PostAsync(new Uri("v1/bridge/gateway-token", UriKind.Relative), null);

        Assert.Contains("\"relaysAnswers\":true", await minted.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    private async Task<(RelayedHead Head, string Text)> CallAsync(string path = ChatPath)
    {
        using var response = await ModelsServer.SendAsync(box, path, Streamed);
        Assert.Equal(RelayedAnswer.ContentType, response.Content.Headers.ContentType?.MediaType);
        await using var body = await response.Content.ReadAsStreamAsync();
        return await ReadAsync(body);
    }

    /// <summary>Before its first byte was read, or after: that is up to the network.</summary>
    private async Task IsBrokenOffAsync() => Assert.True(await Record.ExceptionAsync(() => CallAsync()) is IOException or HttpRequestException);

    private static async Task<(RelayedHead Head, string Text)> ReadAsync(Stream body)
    {
        var reader = new RelayedAnswerReader(body.ReadAsync);
        var head = await reader.ReadHeadAsync(CancellationToken.None);
        var text = new StringBuilder();
        while (await reader.ReadAsync(CancellationToken.None) is { IsEmpty: false } piece) text.Append(Encoding.UTF8.GetString(piece.Span));
        Assert.Equal(0, await body.ReadAsync(new byte[1]));
        return (head, text.ToString());
    }

    private static async Task<string> NextAsync(Stream body)
    {
        var frame = new byte[Frame];
        await Eventually.ComesAsync(body.ReadExactlyAsync(frame).AsTask().ContinueWith(static read => read.IsCompletedSuccessfully, TaskScheduler.Default), "a frame");
        return Encoding.ASCII.GetString(frame);
    }
}
