using System.Net;
using System.Text.Json.Nodes;
using Coordinator.Ports;
using Xunit;
using static Coordinator.Tests.Modules.Models.ChatCall;

namespace Coordinator.Tests.Modules.Models;

/// <summary>What becomes of a model call whose session cannot be asked whether it may be made: no provider has heard of it yet.</summary>
public sealed class AwaySessionTests : IAsyncLifetime
{
    private const string Call = """{"model":"fast","stream":true}""";

    private ModelsServer server = null!;

    public async Task InitializeAsync() => server = await ModelsServer.StartAsync();

    public async Task DisposeAsync() => await server.DisposeAsync();

    [Theory]
    [InlineData(PortFailureKind.Unavailable, false)]
    [InlineData(PortFailureKind.Unavailable, true)]
    [InlineData(PortFailureKind.Timeout, false)]
    [InlineData(PortFailureKind.Timeout, true)]
    [InlineData(PortFailureKind.Fenced, false)]
    public async Task It_is_broken_off_so_that_its_box_asks_again_whatever_became_of_the_question_and_is_made_once(PortFailureKind kind, bool mayHaveHappened)
    {
        server.Sessions.Away = new(kind, "The session's host is away.", effectMayHaveHappened: mayHaveHappened);

        await Assert.ThrowsAsync<HttpRequestException>(() => server.CallAsync(ChatPath, Call));

        Assert.Empty(server.Gateway.Calls);
        var told = Assert.Single(server.Log.Text.Split('\n'), line => line.StartsWith("Information A call of acme came while this host could not take it", StringComparison.Ordinal));
        Assert.Contains("its box tries it again. Coordinator.Ports.PortException: The session's host is away.", told, StringComparison.Ordinal); // of a kind that an outage folds
        server.Sessions.Away = null;
        server.Gateway.Enqueue(Fakes.ModelAnswer.Stream(Usage, Done));
        Assert.Equal(HttpStatusCode.OK, (await server.CallAsync(ChatPath, Call)).Status);
        Assert.Single(server.Gateway.Calls);
        Assert.Single(server.Sessions.Recorded);
    }

    [Theory]
    [InlineData(PortFailureKind.Full, "dependency_unavailable")]
    [InlineData(PortFailureKind.Corrupt, "stored_data_unreadable")]
    public async Task What_asking_again_does_not_mend_is_told_as_the_control_planes_and_not_as_the_providers(PortFailureKind kind, string code)
    {
        server.Sessions.Away = new(kind, "The journal does not answer.");

        var (status, text) = await server.CallAsync(ChatPath, Call);

        Assert.Equal((HttpStatusCode.ServiceUnavailable, code), (status, JsonNode.Parse(text)!["error"]!["code"]!.GetValue<string>()));
        Assert.Empty(server.Gateway.Calls);
    }
}
