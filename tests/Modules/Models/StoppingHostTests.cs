using Coordinator.Fakes;
using Coordinator.Tests.Support;
using Xunit;
using static Coordinator.Tests.Modules.Models.ChatCall;

namespace Coordinator.Tests.Modules.Models;

/// <summary>What becomes of a model call whose host is told to stop.</summary>
public sealed class StoppingHostTests : IAsyncLifetime
{
    private ModelsServer server = null!;

    private WantedBox Sessions => server.Sessions;

    private string SentAway => Assert.Single(server.Log.Text.Split('\n'), line => line.StartsWith("Information A call of acme came while this host could not take it", StringComparison.Ordinal));

    public async Task InitializeAsync() => server = await ModelsServer.StartAsync();

    public async Task DisposeAsync() => await server.DisposeAsync();

    [Fact]
    public async Task A_call_holds_its_session_until_its_usage_is_told()
    {
        var (answering, recording) = (new TaskCompletionSource(), new TaskCompletionSource());
        var heldWhileRecording = 0;
        Sessions.BeforeRecord = () =>
        {
            heldWhileRecording = Sessions.Holds!.Count;
            return recording.Task;
        };
        server.Gateway.Enqueue(ModelAnswer.Stream(Usage, Done) with { Gate = answering.Task });

        var calling = server.CallAsync(ChatPath, """{"model":"fast","stream":true}""");
        await Eventually.HoldsAsync(() => server.Gateway.Open == 1, "that the model is at work");
        Assert.Equal(1, Sessions.Holds!.Count);
        answering.SetResult();
        recording.SetResult();
        await calling;

        Assert.Equal(1, heldWhileRecording);
        await Eventually.HoldsAsync(() => Sessions.Holds.Count == 0, "that the session is let go");
    }

    [Fact]
    public async Task A_call_that_comes_to_a_host_that_stops_is_broken_off_so_that_its_box_asks_again_and_calls_nothing()
    {
        Sessions.Holds = null;

        await Assert.ThrowsAsync<HttpRequestException>(() => server.CallAsync(ChatPath, """{"model":"fast","stream":true}"""));

        Assert.Empty(server.Gateway.Calls);
        Assert.DoesNotContain("Exception", SentAway, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_answer_whose_usage_was_being_recorded_when_its_host_could_wait_no_longer_is_given_its_end(bool streams)
    {
        Sessions.BeforeRecord = Sessions.Holds!.GiveUpAsync;
        const string Whole = """{"choices":[],"usage":{"prompt_tokens":10,"completion_tokens":20}}""";
        server.Gateway.Enqueue(streams ? ModelAnswer.Stream(Usage, Done) : ModelAnswer.Json(200, Whole));

        var (_, text) = await server.CallAsync(ChatPath, streams ? """{"model":"fast","stream":true}""" : """{"model":"fast"}""");

        Assert.EndsWith(streams ? Done : Whole, text, StringComparison.Ordinal);
        Assert.Single(Sessions.Recorded);
    }

    [Fact]
    public async Task An_answer_that_has_had_its_end_and_whose_provider_does_not_close_it_ends_with_its_host()
    {
        server.Gateway.Enqueue(ModelAnswer.Stream(Usage, Done, "never") with { Gate = new TaskCompletionSource().Task });
        using var box = server.Box();
        using var response = await ModelsServer.SendAsync(box, ChatPath, """{"model":"fast","stream":true}""");
        var answer = await response.Content.ReadAsStreamAsync();
        await answer.ReadExactlyAsync(new byte[Usage.Length + Done.Length]);

        await Sessions.Holds!.GiveUpAsync();

        await answer.CopyToAsync(Stream.Null); // to its end, and not to a cut
        Assert.Single(Sessions.Recorded);
    }

    [Fact]
    public async Task A_call_that_takes_longer_than_its_host_can_wait_is_cut_and_what_it_used_is_recorded()
    {
        server.Gateway.Enqueue(ModelAnswer.Stream("data: {\"type\":\"message_start\",\"message\":{\"usage\":{\"input_tokens\":70,\"output_tokens\":1}}}\n\n", "never") with { Gate = new TaskCompletionSource().Task });
        using var box = server.Box();
        using var response = await ModelsServer.SendAsync(box, "model/v1/acme/messages", """{"model":"fast","stream":true}""");
        var answer = await response.Content.ReadAsStreamAsync();
        await answer.ReadExactlyAsync(new byte[10]);

        await Sessions.Holds!.GiveUpAsync();

        await Assert.ThrowsAnyAsync<IOException>(() => answer.CopyToAsync(Stream.Null));
        await Eventually.HoldsAsync(() => server.Gateway.Open == 0 && Sessions.Holds.Count == 0, "the end of the call");
        Assert.Equal(70, Assert.Single(Sessions.Recorded).InputTokens);
    }

    [Fact]
    public async Task A_call_that_has_no_answer_yet_when_its_host_can_wait_no_longer_is_broken_off()
    {
        server.Gateway.Enqueue(ModelAnswer.Stream("never") with { Gate = new TaskCompletionSource().Task });
        var calling = server.CallAsync(ChatPath, """{"model":"fast","stream":true}""");
        await Eventually.HoldsAsync(() => server.Gateway.Open == 1, "that the model is at work");

        await Sessions.Holds!.GiveUpAsync();

        await Assert.ThrowsAsync<HttpRequestException>(() => calling);
        await Eventually.HoldsAsync(() => server.Gateway.Open == 0 && Sessions.Holds.Count == 0, "the end of the call");
        Assert.Empty(Sessions.Recorded);
    }

    [Fact]
    public async Task A_call_whose_answer_was_cut_because_its_session_cannot_be_reached_holds_it_and_its_place_until_its_usage_is_told()
    {
        var time = new ManualTime();
        await using var unreached = await ModelsServer.StartAsync(time);
        var (asked, reached) = (new TaskCompletionSource(), new TaskCompletionSource());
        unreached.Sessions.BeforeRecord = () =>
        {
            asked.SetResult();
            return reached.Task;
        };
        unreached.Gateway.Enqueue(ModelAnswer.Stream("data: {}\n\n", Usage, Done));
        using var box = unreached.Box();
        using var response = await ModelsServer.SendAsync(box, ChatPath, """{"model":"fast","stream":true}""");
        var reading = (await response.Content.ReadAsStreamAsync()).CopyToAsync(Stream.Null);
        await asked.Task;

        await Eventually.AdvanceAsync(time, TimeSpan.FromSeconds(10), () => reading.IsCompleted);

        await Assert.ThrowsAnyAsync<IOException>(() => reading);
        Assert.Equal((1, 1), (unreached.Sessions.Holds!.Count, unreached.Calls.Of(unreached.Sessions.Sandbox).Calls));
        reached.SetResult();
        await Eventually.HoldsAsync(() => unreached.Sessions.Holds.Count == 0 && unreached.Calls.Of(unreached.Sessions.Sandbox).Calls == 0, "that the session is let go");
        Assert.Single(unreached.Sessions.Recorded);
    }
}
