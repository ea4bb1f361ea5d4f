using System.Text;
using Coordinator.Ports;
using Coordinator.Ports.Session;
using Coordinator.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Coordinator.Tests.Conformance.SessionHost;

/// <summary>A host of several that is told to stop in an unlucky moment: while it is no host, or while a box is on its way through it.</summary>
public sealed class UnluckyStopTests : IAsyncLifetime
{
    private static readonly Principal Ada = new(PrincipalKind.User, "usr_ada", "Ada");

    private readonly ClusterStore store = new();
    private readonly RecordingEffects effects = new();
    private readonly SessionKey key = new(OrganizationId.New(TimeProvider.System), SessionId.New(TimeProvider.System));
    private ClusterNode one = null!;
    private ClusterNode two = null!;

    public async Task InitializeAsync()
    {
        (one, two) = (await ClusterNode.StartAsync(store, effects), await ClusterNode.StartAsync(store, effects));
        await one.Host.CallAsync(key, new SessionCommand.Create(Ada, new("demo/scripted", "opencode", null, PermissionMode.Auto), "A session"), default);
    }

    public async Task DisposeAsync()
    {
        await one.DisposeAsync();
        await two.DisposeAsync();
    }

    [Fact]
    public async Task What_is_held_while_a_host_is_none_for_a_moment_is_waited_for_though_it_is_told_to_stop_in_that_moment()
    {
        var lost = one.Member.Location;
        using var hold = one.Host.TryHold(key)!;
        store.Hosts.Faults.FailBefore();
        store.Hosts.CutLock(lost.Id);
        await Eventually.HoldsAsync(() => one.Host.Members is { Obstacle: not null } members && members.Find() is null, "that the host is none");

        var draining = one.Host.DrainAsync(default).AsTask();
        store.Hosts.Faults.Clear();
        await Eventually.HoldsAsync(() => one.Host.Members.Find() is not null, "that it is a host again while it drains");
        Assert.True((await two.Host.CallAsync(key, new SessionCommand.Rename(Ada, "taken up by a peer"), default)).IsSuccess);
        Assert.True((await one.Host.CallAsync(key, new SessionCommand.Rename(Ada, "told by what is held"), default)).IsSuccess);
        Assert.False(draining.IsCompleted);
        hold.Dispose();

        await draining.WaitAsync(Eventually.Bound);
        Assert.Null(one.Host.Members.Find());
    }

    [Fact]
    public async Task What_is_held_at_a_host_that_is_none_any_more_is_asked_to_end_when_it_comes_to_be_none_again()
    {
        await using var three = await ClusterNode.StartAsync(store, effects, searchTime: "00:00:00.100");
        using var hold = three.Host.TryHold(key)!;
        var asked = new TaskCompletionSource();
        using var asking = hold.GivenUp.Register(asked.SetResult);
        var lost = three.Member.Location;
        store.Hosts.Faults.FailBefore();
        store.Hosts.CutLock(lost.Id);
        await Eventually.HoldsAsync(() => three.Host.Members is { Obstacle: not null } members && members.Find() is null, "that the host is none");

        var draining = three.Host.DrainAsync(default).AsTask();
        await asked.Task.WaitAsync(Eventually.Bound);
        Assert.False(draining.IsCompleted);
        hold.Dispose();

        await draining.WaitAsync(Eventually.Bound);
        store.Hosts.Faults.Clear();
    }

    [Fact]
    public async Task A_box_that_comes_through_a_host_behind_its_drain_is_sent_to_another()
    {
        const string Spool = "behind-the-drain";
        var journal = HeldCalls.Over<ISessionJournal, bool>(store.Journal, nameof(ISessionJournal.AppendAsync), append => Encoding.UTF8.GetString(((JournalAppend)append[1]!).Payload.Span).Contains(Spool, StringComparison.Ordinal), out var appends);
        await using var owner = await ClusterNode.StartAsync(store, effects, change: services => services.AddSingleton(journal));
        SessionKey its = new(key.Organization, SessionId.New(TimeProvider.System));
        await owner.Host.CallAsync(its, new SessionCommand.Create(Ada, new("demo/scripted", "opencode", null, PermissionMode.Auto), "Its own"), default);
        await owner.Host.CallAsync(its, Prompt("work"), default);
        await Eventually.HoldsAsync(() => effects.Ran.OfType<SessionEffect.CreateSandbox>().Any(), "that its box is made");
        var box = effects.Ran.OfType<SessionEffect.CreateSandbox>().Single();
        var sink = new RecordingSink();
        var attaching = one.Host.AttachBridgeAsync(its, new(box.Sandbox, box.Generation, new PlainTokens().HashFor(its, box.Sandbox, box.Generation)), new(1, 1, box.Sandbox, box.Generation, Spool, [], []), sink, default).AsTask();
        await Eventually.HoldsAsync(() => appends.Asked > 0, "that its owner is asked");

        await one.Host.DrainAsync(default);
        appends.Open();

        await using var link = (await attaching.WaitAsync(Eventually.Bound)).Value;
        Assert.Equal(LinkCloseReason.HostRestarting, await sink.Closed.Task.WaitAsync(Eventually.Bound));
    }

    private static SessionCommand.Prompt Prompt(string text) => new(Ada, MessageId.New(TimeProvider.System), null, text, null, null);
}
