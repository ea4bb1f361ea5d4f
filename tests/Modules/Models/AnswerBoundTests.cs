using System.Net;
using System.Text;
using Coordinator.Fakes;
using Coordinator.Modules.Models.Gateway;
using Coordinator.Tests.Support;
using Xunit;
using static Coordinator.Tests.Modules.Models.ChatCall;

namespace Coordinator.Tests.Modules.Models;

/// <summary>
/// An organization's provider may be its own, and answer what it likes: what a host keeps of an answer to meter it is bounded as
/// the calls are, and an answer that needs more is cut, for one that is passed over would not be counted.
/// </summary>
public sealed class AnswerBoundTests
{
    private const string Stream = """{"model":"fast","stream":true}""";
    private static readonly string Numbers = "data: [" + string.Concat(Enumerable.Repeat("0,", 100 * 1024));

    [Fact]
    public async Task What_is_kept_of_an_answer_counts_as_the_calls_do_until_its_call_has_ended()
    {
        await using var server = await ModelsServer.StartAsync();
        var goOn = new TaskCompletionSource();
        server.Gateway.Enqueue(ModelAnswer.Stream(Numbers, "0]\n\n" + Usage + Done) with { Gate = goOn.Task });

        var call = server.CallAsync(ChatPath, Stream);
        try
        {
            await Eventually.HoldsAsync(() => server.Calls.Of(server.Sessions.Sandbox).Bytes > Numbers.Length / 2, "what is kept of the answer, counted");
        }
        finally
        {
            goOn.SetResult();
        }

        Assert.EndsWith(Done, (await call).Text, StringComparison.Ordinal);
        Assert.Single(server.Sessions.Recorded);
        await Eventually.HoldsAsync(() => server.Calls.Of(server.Sessions.Sandbox) == default, "the end of the call");
    }

    [Theory]
    [InlineData("text/event-stream")]
    [InlineData("application/json")]
    public async Task An_answer_that_there_is_no_room_for_is_cut_and_what_it_had_told_is_counted(string type)
    {
        await using var server = await ModelsServer.StartAsync(calls: ("MaxBytesPerBox", $"{CallModel.LargestBody}"));
        var told = type == "application/json" ? "{\"usage\":{\"prompt_tokens\":1000,\"completion_tokens\":500},\"more\":[" + Numbers[7..] : Usage + Numbers;
        server.Gateway.Enqueue(new ModelAnswer(200, type, [Encoding.UTF8.GetBytes(told), Encoding.UTF8.GetBytes("0]}\n\n" + Done)]));
        var large = $$"""{"model":"fast","messages":"{{new string('x', CallModel.LargestBody - 64)}}"}""";

        await Assert.ThrowsAnyAsync<HttpRequestException>(() => server.CallAsync(ChatPath, large));

        await Eventually.HoldsAsync(() => server.Calls.Of(server.Sessions.Sandbox) == default, "the end of the call");
        Assert.Equal(1000, Assert.Single(server.Sessions.Recorded).InputTokens);
        Assert.Contains("model calls of this box", server.Log.Text, StringComparison.Ordinal);
        Assert.Equal(0, server.Gateway.Open);
    }

    [Fact]
    public async Task A_line_of_which_more_would_have_to_be_kept_than_its_usage_can_take_is_cut_and_not_passed_over()
    {
        await using var server = await ModelsServer.StartAsync();
        server.Gateway.Enqueue(ModelAnswer.Stream([Usage, .. Enumerable.Repeat(Numbers, 1), .. Enumerable.Repeat(Numbers[7..], 10), "0]\n\n", Done]));

        await Assert.ThrowsAnyAsync<HttpRequestException>(() => server.CallAsync(ChatPath, Stream));

        await Eventually.HoldsAsync(() => server.Sessions.Recorded.Count == 1, "what was told before, counted");
        Assert.Contains("is cut", server.Log.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_image_goes_through_and_is_counted_however_large_it_is()
    {
        await using var server = await ModelsServer.StartAsync(calls: ("MaxBytesPerBox", $"{CallModel.LargestBody}"));
        var image = "data: {\"choices\":[{\"delta\":{\"images\":[\"" + new string('A', 24 * 1024 * 1024) + "\"]}}],\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":8}}\n\n";
        server.Gateway.Enqueue(ModelAnswer.Stream(image, Done));

        var (status, text) = await server.CallAsync(ChatPath, Stream);

        Assert.Equal((HttpStatusCode.OK, image.Length + Done.Length), (status, text.Length));
        Assert.Equal(7, Assert.Single(server.Sessions.Recorded).InputTokens);
    }
}
