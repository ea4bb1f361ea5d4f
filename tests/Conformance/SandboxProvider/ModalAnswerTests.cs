using System.Runtime.Versioning;
using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Coordinator.Tests.Support.Http;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace Coordinator.Tests.Conformance.SandboxProvider;

/// <summary>What the adapter makes of every sort of answer, its own peer's or that of something in between.</summary>
[SupportedOSPlatform("linux")]
public sealed class ModalAnswerTests : IAsyncLifetime
{
    private const string Healthy = """{"status":"ok","node":"peer","capacity":{"running":0,"most":4},"agents":["agent"]}""";

    private static readonly SandboxHandle Box = new("modal", "some-box", "peer");

    private readonly ModalRig rig = new();
    private LoopbackServer? peer;
    private (int Status, string Body, string? RetryAfter) answer = (200, "{}", null);
    private int asked;

    public async Task InitializeAsync()
    {
        peer = await LoopbackServer.StartAsync(app => app.Run(async context =>
        {
            if (context.Request.Path == "/health")
            {
                await context.Response.WriteAsync(Healthy);
                return;
            }

            asked++;
            context.Response.StatusCode = answer.Status;
            if (answer.RetryAfter is { } after) context.Response.Headers.RetryAfter = after;
            await context.Response.WriteAsync(answer.Body);
        }));
        rig.Connect(peer.Address);
    }

    public async Task DisposeAsync()
    {
        await peer!.DisposeAsync();
        await rig.DisposeAsync();
    }

    [Theory]
    [InlineData(429, "", PortFailureKind.Limited, false, 1)]
    [InlineData(507, "", PortFailureKind.Full, true, 1)]
    [InlineData(507, """{"status":507,"code":"no_room","detail":"x","kind":"full","effectMayHaveHappened":false}""", PortFailureKind.Full, false, 1)]
    [InlineData(401, "", PortFailureKind.Unauthorized, false, 1)]
    [InlineData(403, "<html>", PortFailureKind.Unauthorized, false, 1)]
    [InlineData(422, """{"status":422,"code":"sandbox_rejected","detail":"x","kind":"rejected","effectMayHaveHappened":false}""", PortFailureKind.Rejected, false, 1)]
    [InlineData(501, """{"status":501,"code":"unsupported","detail":"x","kind":"rejected","effectMayHaveHappened":false}""", PortFailureKind.Rejected, false, 1)]
    [InlineData(302, "", PortFailureKind.Corrupt, false, 1)]
    [InlineData(500, "", PortFailureKind.Unavailable, true, 3)]
    [InlineData(502, "<html>bad gateway</html>", PortFailureKind.Unavailable, true, 3)]
    [InlineData(504, "", PortFailureKind.Timeout, true, 3)]
    [InlineData(503, """{"status":503,"code":"driver_unavailable","detail":"x","kind":"unavailable","effectMayHaveHappened":false}""", PortFailureKind.Unavailable, false, 3)]
    [InlineData(200, "not json", PortFailureKind.Corrupt, true, 1)]
    [InlineData(200, """{"node":"peer","status":"running"}""", PortFailureKind.Corrupt, true, 1)]
    [InlineData(200, "null", PortFailureKind.Corrupt, true, 1)]
    public async Task A_creates_answer_is_told_as_what_it_is_and_asked_again_only_when_that_may_help(int status, string body, PortFailureKind kind, bool inDoubt, int tries)
    {
        answer = (status, body, null);

        var failure = await Assert.ThrowsAsync<PortException>(async () => await rig.Provider.MakeAsync(Specs.New()));

        Assert.Equal((kind, inDoubt, tries), (failure.Kind, failure.EffectMayHaveHappened, asked));
    }

    [Fact]
    public async Task When_to_come_again_is_passed_on()
    {
        answer = (429, "", "17");
        var failure = await Assert.ThrowsAsync<PortException>(async () => await rig.Provider.MakeAsync(Specs.New()));
        Assert.Equal(TimeSpan.FromSeconds(17), failure.RetryAfter);
    }

    [Theory]
    [InlineData(404, "<html>no such page</html>")]
    [InlineData(404, """{"status":404,"code":"route_not_found","detail":"x","effectMayHaveHappened":false}""")]
    [InlineData(200, "[]")]
    public async Task Only_the_data_plane_itself_can_say_that_a_box_is_not_there(int status, string body)
    {
        answer = (status, body, null);

        await Assert.ThrowsAsync<PortException>(async () => await rig.Provider.InspectAsync(Box, CancellationToken.None));
        if (status != 200) await Assert.ThrowsAsync<PortException>(async () => await rig.Provider.DestroyAsync(Box, keepData: false, CancellationToken.None));
    }

    [Theory]
    [InlineData("""{"node":"peer"}""")]
    [InlineData("""{"node":"peer","items":[{"id":"x"}]}""")]
    [InlineData("""{"node":"peer","items":[{"id":"x","node":"peer","status":"running","labels":{},"createdAt":"2026-01-0""")]
    public async Task A_listing_that_is_cut_or_garbled_is_no_listing(string body)
    {
        answer = (200, body, null);
        List<SandboxListing> found = [];

        var failure = await Assert.ThrowsAsync<PortException>(async () =>
        {
            await foreach (var listing in rig.Provider.ListAsync(new Dictionary<string, string>(), CancellationToken.None)) found.Add(listing);
        });

        Assert.Equal(PortFailureKind.Corrupt, failure.Kind);
        Assert.Empty(found);
    }
}
