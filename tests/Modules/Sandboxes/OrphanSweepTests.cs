using Coordinator.Fakes;
using Coordinator.Modules.Sandboxes;
using Coordinator.Modules.Sandboxes.Provisioning;
using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Coordinator.Ports.Session;
using Coordinator.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Xunit;

namespace Coordinator.Tests.Modules.Sandboxes;

public sealed class OrphanSweepTests : IDisposable
{
    private readonly ManualTime time = new();
    private readonly InMemorySandboxProvider provider;
    private readonly StubSessions sessions = new();
    private readonly OrphanSweep sweep;

    public OrphanSweepTests()
    {
        provider = new(time);
        sweep = new(provider, sessions, new StubTokens(), Options.Create(new SandboxesOptions { Deployment = "here" }), time, NullLogger<OrphanSweep>.Instance);
    }

    public void Dispose() => sweep.Dispose();

    [Fact]
    public async Task A_box_that_its_session_wants_is_left_alone()
    {
        await MakeAsync();
        time.Advance(TimeSpan.FromHours(1));
        Assert.Equal(0, await SweepAsync());
        Assert.Single(provider.Running);
    }

    [Fact]
    public async Task A_box_nobody_wants_is_ended_and_its_sessions_data_kept()
    {
        var spec = await MakeAsync();
        provider.Write(spec.Session, "work", "forty minutes of it");
        sessions.Refuse = _ => StubSessions.NotWanted;
        time.Advance(TimeSpan.FromMinutes(3));
        Assert.Equal(1, await SweepAsync());
        Assert.Empty(provider.Running);
        Assert.Equal("forty minutes of it", provider.Read(spec.Session, "work"));
    }

    [Fact]
    public async Task A_box_younger_than_two_minutes_is_left_for_its_session_to_hear_of()
    {
        await MakeAsync();
        sessions.Refuse = _ => StubSessions.NotWanted;
        time.Advance(TimeSpan.FromSeconds(119));
        Assert.Equal(0, await SweepAsync());
        time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(1, await SweepAsync());
    }

    [Fact]
    public async Task A_box_of_a_session_that_is_gone_goes_at_once_with_its_data()
    {
        var spec = await MakeAsync();
        provider.Write(spec.Session, "work", "x");
        sessions.Refuse = _ => StubSessions.NotFound;
        Assert.Equal(1, await SweepAsync());
        Assert.Null(provider.Read(spec.Session, "work"));
    }

    [Fact]
    public async Task A_box_of_an_archived_session_goes_at_once_with_its_data()
    {
        var spec = await MakeAsync();
        provider.Write(spec.Session, "work", "x");
        sessions.Refuse = _ => StubSessions.NotWanted;
        sessions.Status = "archived";
        Assert.Equal(1, await SweepAsync());
        Assert.Null(provider.Read(spec.Session, "work"));
    }

    [Fact]
    public async Task Data_that_a_living_session_left_is_kept_and_the_session_is_rarely_woken_for_it()
    {
        var spec = await MakeAsync();
        provider.Write(spec.Session, "work", "x");
        provider.Die(spec.Sandbox);
        sessions.Refuse = _ => StubSessions.NotWanted;
        for (var minute = 0; minute < 120; minute++)
        {
            time.Advance(TimeSpan.FromMinutes(1));
            Assert.Equal(0, await SweepAsync());
        }

        Assert.Equal("x", provider.Read(spec.Session, "work"));
        Assert.InRange(sessions.Asked, 2, 6);
    }

    [Fact]
    public async Task Data_of_a_session_that_is_gone_does_not_stay()
    {
        var spec = await MakeAsync();
        provider.Die(spec.Sandbox);
        sessions.Refuse = _ => StubSessions.NotFound;
        for (var minute = 0; minute < 61; minute++)
        {
            time.Advance(TimeSpan.FromMinutes(1));
            await SweepAsync();
        }

        Assert.Null(provider.Read(spec.Session, "anything"));
        Assert.Equal(0, await SweepAsync());
    }

    [Fact]
    public async Task Another_deployments_boxes_are_not_ours_to_end()
    {
        await MakeAsync("there");
        sessions.Refuse = _ => StubSessions.NotFound;
        time.Advance(TimeSpan.FromHours(1));
        Assert.Equal(0, await SweepAsync());
        Assert.Single(provider.Running);
    }

    [Fact]
    public async Task While_sessions_cannot_be_asked_nothing_is_ended()
    {
        await MakeAsync();
        sessions.IsDown = true;
        time.Advance(TimeSpan.FromHours(1));
        Assert.Equal(0, await SweepAsync());
        Assert.Single(provider.Running);
    }

    [Fact]
    public async Task A_sweeper_stuck_on_its_oldest_box_still_reaches_the_others()
    {
        await MakeAsync();
        await MakeAsync();
        sessions.Refuse = _ => StubSessions.NotFound;
        provider.DestroyFaults.FailBefore(calls: 1);
        Assert.Equal(1, await SweepAsync());
        Assert.Equal(1, await SweepAsync());
        Assert.Empty(provider.Running);
    }

    [Fact]
    public async Task A_listing_that_leaves_boxes_out_ends_none_of_them()
    {
        var hidden = await MakeAsync();
        provider.HideFromListings = box => box == hidden.Sandbox;
        time.Advance(TimeSpan.FromHours(1));
        Assert.Equal(0, await SweepAsync());
        Assert.Single(provider.Running);
    }

    private ValueTask<int> SweepAsync() => sweep.SweepAsync(CancellationToken.None);

    private async Task<SandboxSpec> MakeAsync(string deployment = "here")
    {
        var effects = new SandboxEffects(provider, new StubTokens(), Options.Create(new SandboxesOptions { Deployment = deployment }), time, NullLogger<SandboxEffects>.Instance);
        var create = new SessionEffect.CreateSandbox(SandboxId.New(time), 1, new("demo/scripted", "opencode", null, PermissionMode.Auto));
        var key = new SessionKey(OrganizationId.New(time), SessionId.New(time));
        await effects.RunAsync(key, create, CancellationToken.None);
        return effects.SpecOf(key, create);
    }
}
