using Coordinator.Ports;
using Coordinator.Ports.Compute.DataPlane;
using Coordinator.Ports.Session;
using Coordinator.Tests.Support;
using Xunit;

namespace Coordinator.Tests.Conformance.SessionHost;

/// <summary>A host among two whose clock is further off than hosts may be apart: what it would say to its peer cannot be told from what was said before.</summary>
public sealed class WrongClockTests : IAsyncLifetime
{
    private static readonly Principal Ada = new(PrincipalKind.User, "usr_ada", "Ada");
    private static readonly TimeSpan TooFar = RequestSignature.AllowedSkew + TimeSpan.FromMinutes(1);

    private readonly ClusterStore store = new();
    private readonly RecordingEffects effects = new();
    private readonly SkewedTime clock = new();
    private readonly OrganizationId organization = OrganizationId.New(TimeProvider.System);
    private ClusterNode right = null!;
    private ClusterNode wrong = null!;

    public async Task InitializeAsync()
    {
        right = await ClusterNode.StartAsync(store, effects, searchTime: "00:00:00.500");
        wrong = await ClusterNode.StartAsync(store, effects, searchTime: "00:00:00.500", time: clock);
    }

    public async Task DisposeAsync()
    {
        await right.DisposeAsync();
        await wrong.DisposeAsync();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(-1)]
    public async Task It_is_no_host_until_the_clock_is_set_right_and_what_it_had_is_its_peers(int direction)
    {
        var (atRight, atWrong) = (await SessionAsync(right), await SessionAsync(wrong));

        clock.Skew = TooFar * direction;
        await Eventually.HoldsAsync(async () => await wrong.Dependency.CheckAsync(default) is { } why && why.Contains("Set the clock", StringComparison.Ordinal), "That it says why it is not ready");
        Assert.Null(await right.Dependency.CheckAsync(default));
        Assert.True((await PromptAsync(right, atRight)).IsSuccess);
        Assert.True((await PromptAsync(right, atWrong)).IsSuccess);
        await RefusedAsync(wrong, atRight);

        clock.Skew = TimeSpan.Zero;
        await Eventually.HoldsAsync(async () => await wrong.Dependency.CheckAsync(default) is null, "That it is ready again");
        Assert.True((await PromptAsync(wrong, atWrong)).IsSuccess);
        Assert.Equal(right.Member.Location.Id, await OwnerAsync(atWrong));
    }

    private static async Task RefusedAsync(ClusterNode asked, SessionKey key)
    {
        var refused = await Assert.ThrowsAsync<PortException>(async () => await PromptAsync(asked, key));

        Assert.Equal((PortFailureKind.Unavailable, false, true), (refused.Kind, refused.EffectMayHaveHappened, refused.RetryAfter > TimeSpan.Zero));
    }

    private async Task<SessionKey> SessionAsync(ClusterNode node)
    {
        var key = new SessionKey(organization, SessionId.New(TimeProvider.System));
        Assert.True((await node.Host.CallAsync(key, new SessionCommand.Create(Ada, new("demo/scripted", "opencode", null, PermissionMode.Auto), "A session"), default)).IsSuccess);
        return key;
    }

    private static ValueTask<Result<SessionReply>> PromptAsync(ClusterNode node, SessionKey key) =>
        node.Host.CallAsync(key, new SessionCommand.Prompt(Ada, MessageId.New(TimeProvider.System), null, "asked by the clock", null, null), default);

    private async Task<HostId?> OwnerAsync(SessionKey key) => (await store.Journal.FindHeadAsync(key, default))!.Host;
}
