using System.IO.Pipelines;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using Coordinator.Adapters.Acp.Connection;
using Xunit;

namespace Coordinator.Tests.Modules.Agents.Acp;

public sealed class AcpConnectionTests : IAsyncLifetime
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    private readonly Pipe toAgent = new();
    private readonly Pipe fromAgent = new();
    private readonly StreamReader heard;
    private readonly AcpConnection connection;

    public AcpConnectionTests()
    {
        heard = new StreamReader(toAgent.Reader.AsStream());
        connection = new AcpConnection(toAgent.Writer.AsStream(), fromAgent.Reader.AsStream(), TimeProvider.System);
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        await fromAgent.Writer.CompleteAsync();
        await connection.DisposeAsync();
        heard.Dispose();
    }

    [Fact]
    public async Task An_answer_reaches_its_caller_past_garbage_and_notifications()
    {
        var call = connection.CallAsync("initialize", [], Limit, CancellationToken.None);
        await HearAsync();
        await SayAsync("Loading plugins…");
        await SayAsync("""{"jsonrpc":"2.0","method":"session/update","params":{}}""");
        await SayAsync("""{"jsonrpc":"2.0","id":99,"result":{}}""");
        await SayAsync("[1,2]");
        await SayAsync("""{"jsonrpc":"2.0","id":1,"result":{"protocolVersion":1}}""");

        Assert.Equal(1, (await call).GetProperty("protocolVersion").GetInt32());
    }

    [Fact]
    public async Task An_answer_that_is_an_error_is_told_with_it()
    {
        var call = connection.CallAsync("session/load", [], Limit, CancellationToken.None);
        await HearAsync();
        await SayAsync("""{"jsonrpc":"2.0","id":1,"error":{"code":-32002,"message":"not found"}}""");

        var refused = await Assert.ThrowsAsync<AcpCallException>(() => call);
        Assert.Equal(-32002, refused.Error!.Value.GetProperty("code").GetInt32());
    }

    [Fact]
    public async Task The_end_of_the_agent_ends_every_call_that_waits_and_every_later_one()
    {
        var call = connection.CallAsync("initialize", [], Limit, CancellationToken.None);
        await HearAsync();
        await fromAgent.Writer.CompleteAsync();

        await Assert.ThrowsAsync<AcpCallException>(() => call);
        await Assert.ThrowsAsync<AcpCallException>(() => connection.CallAsync("session/new", [], Limit, CancellationToken.None));
    }

    [Fact]
    public async Task An_agent_that_does_not_answer_is_waited_for_no_longer_than_the_limit()
    {
        var late = await Assert.ThrowsAsync<AcpCallException>(() => connection.CallAsync("initialize", [], TimeSpan.FromMilliseconds(50), CancellationToken.None));

        Assert.Contains("did not answer initialize", late.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_call_of_a_capability_we_did_not_announce_is_declined()
    {
        await SayAsync("""{"jsonrpc":"2.0","id":"a1","method":"fs/read_text_file","params":{}}""");

        var answer = await HearAsync();
        Assert.Equal(("a1", -32601), (answer.GetProperty("id").GetString(), answer.GetProperty("error").GetProperty("code").GetInt32()));
    }

    [Fact]
    public async Task A_turn_hears_everything_in_order_and_its_answer_last()
    {
        var messages = Channel.CreateBounded<JsonElement>(1);
        await connection.PromptAsync([], messages.Writer, CancellationToken.None);
        var id = (await HearAsync()).GetProperty("id").GetInt64();
        await SayAsync("""{"jsonrpc":"2.0","method":"session/update","params":{"n":1}}""");
        await SayAsync("""{"jsonrpc":"2.0","id":7,"method":"session/request_permission","params":{}}""");
        await SayAsync(new JsonObject { ["jsonrpc"] = "2.0", ["id"] = id, ["result"] = new JsonObject() }.ToJsonString());
        await fromAgent.Writer.CompleteAsync();

        var seen = new List<string>();
        await foreach (var message in messages.Reader.ReadAllAsync()) seen.Add(message.TryGetProperty("method", out var method) ? method.GetString()! : "answer");

        Assert.Equal(["session/update", "session/request_permission", "answer"], seen);
    }

    [Fact]
    public async Task A_line_beyond_all_bounds_is_skipped()
    {
        var call = connection.CallAsync("initialize", [], Limit, CancellationToken.None);
        await HearAsync();
        var chunk = new string('x', 1024 * 1024);
        for (var sent = 0; sent <= LineReader.MaxLineBytes; sent += chunk.Length) await fromAgent.Writer.WriteAsync(Encoding.UTF8.GetBytes(chunk));
        await SayAsync("");
        await SayAsync("""{"jsonrpc":"2.0","id":1,"result":{}}""");

        Assert.Equal(JsonValueKind.Object, (await call).ValueKind);
    }

    private async Task SayAsync(string line) => await fromAgent.Writer.WriteAsync(Encoding.UTF8.GetBytes(line + "\n"));

    private async Task<JsonElement> HearAsync() => JsonElement.Parse((await heard.ReadLineAsync().WaitAsync(Limit))!);
}
