using Coordinator.Fakes;
using Coordinator.Modules.Sandboxes;
using Coordinator.Modules.Sandboxes.Provisioning;
using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Coordinator.Ports.Compute.DataPlane;
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
    public async Task A_box_of_a_session_that_is_not_known_ends_at_once_and_its_data_goes_a_day_later()
    {
        var spec = await MakeAsync();
        time.Advance(TimeSpan.FromDays(9));
        provider.Write(spec.Session, "work", "x");
        sessions.Refuse = _ => StubSessions.NotFound;
        sessions.IsGone = true;
        Assert.Equal(1, await SweepAsync());
        Assert.Empty(provider.Running);
        await SweepForAsync(TimeSpan.FromHours(23));
        Assert.Equal("x", provider.Read(spec.Session, "work"));
        await SweepForAsync(TimeSpan.FromHours(3));
        Assert.Null(provider.Read(spec.Session, "work"));
    }

    [Fact]
    public async Task A_session_that_was_put_back_has_its_data_and_a_later_loss_waits_anew()
    {
        var spec = await MakeAsync();
        provider.Write(spec.Session, "work", "x");
        sessions.IsGone = true;
        await SweepForAsync(TimeSpan.FromHours(23));
        sessions.IsGone = false;
        await SweepForAsync(TimeSpan.FromHours(2));
        sessions.IsGone = true;
        await SweepForAsync(TimeSpan.FromHours(23));
        Assert.Equal("x", provider.Read(spec.Session, "work"));
    }

    [Fact]
    public async Task A_host_that_starts_anew_on_a_database_without_the_session_waits_anew()
    {
        var spec = await MakeAsync();
        provider.Write(spec.Session, "work", "x");
        sessions.IsGone = true;
        await SweepForAsync(TimeSpan.FromHours(23));
        using var next = new OrphanSweep(provider, sessions, new StubTokens(), Options.Create(new SandboxesOptions { Deployment = "here" }), time, NullLogger<OrphanSweep>.Instance);
        await SweepForAsync(TimeSpan.FromHours(23), next);
        Assert.Equal("x", provider.Read(spec.Session, "work"));
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
    public async Task Data_that_a_living_session_left_is_kept_and_the_session_is_looked_at_once_an_hour_and_decides_nothing()
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
        Assert.InRange(sessions.Asked, 2, 3);
        Assert.Equal(0, sessions.Decided);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    public async Task Kept_data_is_looked_at_as_often_when_sweeps_come_late_or_cannot_list_it_in_its_minute(int minutesLate)
    {
        var spec = await MakeAsync();
        provider.Die(spec.Sandbox);
        for (var minute = 1; minute <= 120; minute++)
        {
            time.Advance(TimeSpan.FromMinutes(1));
            provider.IsSilent = _ => minute % minutesLate == 1;
            if (minute % minutesLate < 2) await SweepAsync();
        }

        Assert.InRange(sessions.Asked, 2, 3);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(24)]
    public async Task Data_of_a_session_that_is_not_known_stays_as_long_as_is_set_and_no_longer(int hours)
    {
        using var sweeping = new OrphanSweep(provider, sessions, new StubTokens(), Options.Create(new SandboxesOptions { Deployment = "here", KeepUnknownData = TimeSpan.FromHours(hours) }), time, NullLogger<OrphanSweep>.Instance);
        var spec = await MakeAsync();
        provider.Write(spec.Session, "work", "x");
        provider.Die(spec.Sandbox);
        sessions.IsGone = true;
        if (hours > 0) await SweepForAsync(TimeSpan.FromHours(hours - 1), sweeping);
        Assert.Equal("x", provider.Read(spec.Session, "work"));
        await SweepForAsync(TimeSpan.FromHours(3), sweeping);

        Assert.Null(provider.Read(spec.Session, "work"));
        Assert.Equal(0, await sweeping.SweepAsync(CancellationToken.None));
    }

    [Fact]
    public async Task A_listing_that_never_ends_is_given_up_and_the_next_sweep_is_made()
    {
        await MakeAsync();
        sessions.Refuse = _ => StubSessions.NotFound;
        provider.LookFaults.Slow(TimeSpan.FromDays(1), time);
        var stuck = SweepAsync();
        time.Advance(TimeSpan.FromSeconds(new SandboxesOptions().ProviderSeconds));

        Assert.Equal(0, await stuck.AsTask().WaitAsync(TimeSpan.FromSeconds(60), TimeProvider.System));
        provider.LookFaults.Clear();
        Assert.Equal(1, await SweepAsync());
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
    public async Task A_failure_that_no_port_foresaw_does_not_end_the_sweep_and_with_it_the_host()
    {
        await MakeAsync();
        await MakeAsync();
        var asked = 0;
        sessions.Refuse = _ => ++asked == 1 ? throw new IOException("It vanished while it was looked at.") : StubSessions.NotFound;
        Assert.Equal(1, await SweepAsync());
        provider.IsSilent = _ => throw new IOException("Its folder went while it was listed.");
        Assert.Equal(0, await SweepAsync());
        provider.IsSilent = _ => false;
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

    [Fact]
    public async Task A_machine_that_does_not_answer_does_not_keep_the_others_boxes_from_being_swept()
    {
        var silent = await MakeAsync();
        await MakeAsync();
        sessions.Refuse = _ => StubSessions.NotFound;
        provider.IsSilent = handle => handle.Id == silent.Sandbox.ToString();
        Assert.Equal(1, await SweepAsync());
        Assert.Equal([silent.Sandbox], provider.Running);
        provider.IsSilent = _ => false;
        Assert.Equal(1, await SweepAsync());
    }

    [Theory]
    [InlineData("first")]
    [InlineData("second")]
    public async Task Of_one_box_that_runs_on_two_machines_the_one_that_its_session_has_goes_on(string its)
    {
        var (first, second) = (new InMemorySandboxProvider(time, node: "first"), new InMemorySandboxProvider(time, node: "second"));
        using var sweeping = new OrphanSweep(new TwoMachines(first, second), sessions, new StubTokens(), Options.Create(new SandboxesOptions { Deployment = "here" }), time, NullLogger<OrphanSweep>.Instance);
        var spec = await MakeAsync();
        var handles = new[] { await first.CreateAsync(spec, CancellationToken.None), await second.CreateAsync(spec, CancellationToken.None) };
        time.Advance(TimeSpan.FromHours(1));
        Assert.Equal(0, await sweeping.SweepAsync(CancellationToken.None));

        sessions.Handle = handles.Single(handle => handle.Node == its);
        Assert.Equal(1, await sweeping.SweepAsync(CancellationToken.None));
        Assert.Equal([spec.Sandbox], (its == "first" ? first : second).Running);
        Assert.Empty((its == "first" ? second : first).Running);
        Assert.Equal(0, await sweeping.SweepAsync(CancellationToken.None));
    }

    [Fact]
    public async Task A_box_that_came_late_goes_on_where_the_one_that_its_session_names_runs_no_more()
    {
        var (first, second) = (new InMemorySandboxProvider(time, node: "first"), new InMemorySandboxProvider(time, node: "second"));
        using var sweeping = new OrphanSweep(new TwoMachines(first, second), sessions, new StubTokens(), Options.Create(new SandboxesOptions { Deployment = "here" }), time, NullLogger<OrphanSweep>.Instance);
        var spec = await MakeAsync();
        sessions.Handle = await first.CreateAsync(spec, CancellationToken.None);
        await first.DestroyAsync(sessions.Handle, keepData: false, CancellationToken.None);
        await second.CreateAsync(spec, CancellationToken.None);
        time.Advance(TimeSpan.FromHours(1));

        Assert.Equal(0, await sweeping.SweepAsync(CancellationToken.None));

        Assert.Equal([spec.Sandbox], second.Running);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public async Task A_box_whose_host_crashed_before_it_heard_of_it_is_gone_within_five_minutes(int refusedDestroys)
    {
        provider.CreateFaults.LoseResponses();
        await MakeAsync();
        sessions.Refuse = _ => StubSessions.NotWanted;
        provider.DestroyFaults.FailBefore(calls: refusedDestroys);
        time.Advance(TimeSpan.FromSeconds(59));
        for (var minute = 1; minute < 5; minute++)
        {
            Assert.Single(provider.Running);
            time.Advance(TimeSpan.FromMinutes(1));
            if (await SweepAsync() == 1) break;
        }

        Assert.Empty(provider.Running);
    }

    [Fact]
    public async Task A_provider_whose_clock_is_as_far_ahead_as_it_may_be_keeps_no_box_for_longer()
    {
        var machine = new InMemorySandboxProvider(new ManualTime(time.GetUtcNow() + RequestSignature.AllowedSkew));
        using var sweeping = new OrphanSweep(machine, sessions, new StubTokens(), Options.Create(new SandboxesOptions { Deployment = "here" }), time, NullLogger<OrphanSweep>.Instance);
        await machine.CreateAsync(await MakeAsync(), CancellationToken.None);
        sessions.Refuse = _ => StubSessions.NotWanted;
        for (var minute = 1; minute < 5 && machine.Running.Count > 0; minute++)
        {
            time.Advance(TimeSpan.FromMinutes(1));
            Assert.Equal(minute < 3 ? 0 : 1, await sweeping.SweepAsync(CancellationToken.None));
        }

        Assert.Empty(machine.Running);
    }

    private ValueTask<int> SweepAsync() => sweep.SweepAsync(CancellationToken.None);

    private async Task SweepForAsync(TimeSpan span, OrphanSweep? by = null)
    {
        for (var minute = 0; minute < span.TotalMinutes; minute++)
        {
            time.Advance(TimeSpan.FromMinutes(1));
            await (by ?? sweep).SweepAsync(CancellationToken.None);
        }
    }

    private async Task<SandboxSpec> MakeAsync(string deployment = "here")
    {
        var effects = new SandboxEffects(provider, new StubTokens(), Options.Create(new SandboxesOptions { Deployment = deployment }), time, NullLogger<SandboxEffects>.Instance);
        var create = new SessionEffect.CreateSandbox(SandboxId.New(time), 1, new("demo/scripted", "opencode", null, PermissionMode.Auto));
        var key = new SessionKey(OrganizationId.New(time), SessionId.New(time));
        await effects.RunAsync(key, create, CancellationToken.None);
        return effects.SpecOf(key, create);
    }

    /// <summary>A provider of two machines.</summary>
    private sealed class TwoMachines(InMemorySandboxProvider first, InMemorySandboxProvider second) : ISandboxProvider
    {
        public string Name => first.Name;

        public SandboxCapabilities? Capabilities => first.Capabilities;

        public ValueTask<string?> PlaceAsync(SandboxSpec spec, CancellationToken cancellationToken) => first.PlaceAsync(spec, cancellationToken);

        public ValueTask<SandboxHandle> CreateAsync(SandboxSpec spec, CancellationToken cancellationToken) => first.CreateAsync(spec, cancellationToken);

        public ValueTask<SandboxInspection> InspectAsync(SandboxHandle handle, CancellationToken cancellationToken) => Of(handle).InspectAsync(handle, cancellationToken);

        public async IAsyncEnumerable<SandboxListing> ListAsync(IReadOnlyDictionary<string, string> labels, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
        {
            await foreach (var listing in first.ListAsync(labels, cancellationToken)) yield return listing;
            await foreach (var listing in second.ListAsync(labels, cancellationToken)) yield return listing;
        }

        public ValueTask DestroyAsync(SandboxHandle handle, bool keepData, CancellationToken cancellationToken) => Of(handle).DestroyAsync(handle, keepData, cancellationToken);

        private InMemorySandboxProvider Of(SandboxHandle handle) => handle.Node == "first" ? first : second;
    }
}
