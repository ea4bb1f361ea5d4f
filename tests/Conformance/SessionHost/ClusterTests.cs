using System.Net;
using System.Net.WebSockets;
using System.Text;
using Coordinator.Adapters.InProcess;
using Coordinator.Adapters.InProcess.Cluster;
using Coordinator.Ports;
using Coordinator.Ports.Session;
using Coordinator.Tests.Support;
using Coordinator.Tests.Support.Http;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Coordinator.Tests.Conformance.SessionHost;

/// <summary>What holds of several hosts together.</summary>
public sealed class ClusterTests : IAsyncLifetime
{
    private static readonly Principal Ada = new(PrincipalKind.User, "usr_ada", "Ada");
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(90);

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
    public async Task A_session_has_one_actor_whichever_host_is_asked()
    {
        for (var i = 0; i < 5; i++) Assert.True((await (i % 2 == 0 ? two : one).Host.CallAsync(key, Prompt($"message {i}"), default)).IsSuccess);

        Assert.True(one.Member.Actors.IsActive(key));
        Assert.False(two.Member.Actors.IsActive(key));
        Assert.Equal(one.Member.Location.Id, (await store.Journal.FindHeadAsync(key, default))!.Host);
    }

    [Fact]
    public async Task A_refusal_is_the_same_wherever_it_is_asked()
    {
        var here = await one.Host.CallAsync(key, Prompt(string.Empty), default);
        var there = await two.Host.CallAsync(key, Prompt(string.Empty), default);

        Assert.NotNull(here.Problem);
        Assert.Equal(here.Problem, there.Problem);
    }

    [Fact]
    public async Task When_the_owners_lock_is_gone_its_actors_stop_and_another_host_goes_on_without_a_gap()
    {
        await using var watching = (await two.Host.SubscribeAsync(key, new SessionCursor(1, 0), default)).Value;
        await two.Host.CallAsync(key, Prompt("before"), default);
        var (lost, location) = (one.Member, one.Member.Location);

        store.Hosts.CutLock(location.Id);

        Assert.True((await two.Host.CallAsync(key, Prompt("after"), default)).IsSuccess);
        Assert.Equal(two.Member.Location.Id, (await store.Journal.FindHeadAsync(key, default))!.Host);
        await Eventually.HoldsAsync(() => lost.Actors.ActiveCount == 0 && one.Host.Members.Find() is { } anew && anew.Location.Id != location.Id, "that the host lets its actors go and registers anew");
        var head = (await store.Journal.FindHeadAsync(key, default))!.Seq;
        Assert.Equal(Enumerable.Range(1, (int)head).Select(seq => (long)seq), await SeqsAsync(watching, head));
    }

    [Fact]
    public async Task A_host_that_drains_hands_its_sessions_over()
    {
        await one.Host.DrainAsync(default);

        Assert.True((await two.Host.CallAsync(key, Prompt("after"), default)).IsSuccess);
        var refused = await Assert.ThrowsAsync<PortException>(async () => await one.Host.CallAsync(key, Prompt("too late"), default));
        Assert.Equal(PortFailureKind.Unavailable, refused.Kind);
    }

    [Fact]
    public async Task What_was_held_before_a_host_lost_its_registration_is_waited_for_by_what_it_has_become()
    {
        var location = one.Member.Location;
        using var hold = one.Host.TryHold(key)!;
        store.Hosts.CutLock(location.Id);
        await Eventually.HoldsAsync(() => one.Host.Members.Find() is { } anew && anew.Location.Id != location.Id, "that the host registers anew");
        Assert.True((await one.Host.CallAsync(key, new SessionCommand.Rename(Ada, "Its box came back"), default)).IsSuccess);

        var draining = one.Host.DrainAsync(default).AsTask();
        Assert.True((await one.Host.CallAsync(key, new SessionCommand.Rename(Ada, "told while it drains"), default)).IsSuccess);
        Assert.False(draining.IsCompleted);
        hold.Dispose();
        await draining.WaitAsync(Bound);
    }

    [Fact]
    public async Task While_a_host_drains_what_it_still_has_is_reached_through_its_peers_and_what_they_have_through_it()
    {
        var held = new HeldEffects(typeof(SessionEffect.CreateSandbox));
        await using var three = await ClusterNode.StartAsync(store, held);
        SessionKey kept = new(key.Organization, SessionId.New(TimeProvider.System)), nobodys = new(key.Organization, SessionId.New(TimeProvider.System));
        await three.Host.CallAsync(kept, new SessionCommand.Create(Ada, new("demo/scripted", "opencode", null, PermissionMode.Auto), "Kept"), default);
        await three.Host.CallAsync(kept, Prompt("work"), default);
        await held.Held.WaitAsync(Eventually.Bound);

        var draining = three.Host.DrainAsync(default).AsTask();
        Assert.True((await two.Host.CallAsync(kept, Prompt("through a peer"), default)).IsSuccess);
        Assert.True((await three.Host.CallAsync(kept, Prompt("here"), default)).IsSuccess);
        Assert.True((await three.Host.CallAsync(key, new SessionCommand.Rename(Ada, "At a peer"), default)).IsSuccess);
        var refused = await Assert.ThrowsAsync<PortException>(async () => await three.Host.CallAsync(nobodys, Prompt("nowhere"), default));
        Assert.Equal((PortFailureKind.Unavailable, true), (refused.Kind, refused.RetryAfter is not null));
        Assert.NotNull(await three.Dependency.CheckAsync(default));
        Assert.False(draining.IsCompleted);
        held.Release();
        await draining;

        Assert.True((await two.Host.CallAsync(kept, Prompt("after"), default)).IsSuccess);
        Assert.Single(held.Begun);
        Assert.Empty(effects.Ran);
    }

    [Fact]
    public async Task A_sleeping_session_that_a_host_claims_while_it_is_told_to_stop_is_its_peers_at_once()
    {
        var held = new HeldEffects(typeof(SessionEffect.CreateSandbox));
        var asleep = key with { Session = SessionId.New(TimeProvider.System) };
        HeldCalls<IHostRegistry, HostLocation> claims = null!;
        await using var three = await ClusterNode.StartAsync(store, held, change: services => services.AddSingleton(
            HeldCalls.Over<IHostRegistry, HostLocation>(store.Hosts, nameof(IHostRegistry.ClaimAsync), args => (SessionKey)args[0]! == asleep, out claims)));
        await two.Host.CallAsync(asleep, new SessionCommand.Create(Ada, new("demo/scripted", "opencode", null, PermissionMode.Auto), "Asleep"), default);
        await two.Member.Actors.BeginAnewAsync(default);
        var kept = key with { Session = SessionId.New(TimeProvider.System) };
        await three.Host.CallAsync(kept, new SessionCommand.Create(Ada, new("demo/scripted", "opencode", null, PermissionMode.Auto), "Kept"), default);
        await three.Host.CallAsync(kept, Prompt("work"), default);
        await held.Held.WaitAsync(Eventually.Bound);

        var claiming = three.Host.CallAsync(asleep, new SessionCommand.Rename(Ada, "through who stops"), default).AsTask();
        await Eventually.HoldsAsync(() => claims.Asked == 1, "that the session is claimed");
        var draining = three.Host.DrainAsync(default).AsTask();
        claims.Open();
        await claiming.ContinueWith(_ => { }, TaskScheduler.Default);
        Assert.True((await two.Host.CallAsync(asleep, new SessionCommand.Rename(Ada, "through a peer"), default).AsTask().WaitAsync(Bound)).IsSuccess);

        Assert.False(draining.IsCompleted);
        held.Release();
        await draining;
    }

    [Fact]
    public async Task A_look_from_another_host_asks_nobody_and_wakes_nobody()
    {
        await one.Host.DrainAsync(default);
        var seen = await two.Host.CallAsync(key, new SessionCommand.GetView(), default);

        Assert.True(seen.IsSuccess);
        Assert.False(two.Member.Actors.IsActive(key));
    }

    [Fact]
    public async Task Watching_from_another_host_wakes_nobody_and_misses_nothing()
    {
        await one.Host.DrainAsync(default);
        await using var watching = (await two.Host.SubscribeAsync(key, new SessionCursor(1, 0), default)).Value;
        var head = (await store.Journal.FindHeadAsync(key, default))!.Seq;

        Assert.Equal(head, (await SeqsAsync(watching, head)).Count);
        Assert.False(two.Member.Actors.IsActive(key));
    }

    [Fact]
    public async Task A_session_that_has_left_a_host_and_is_a_peers_is_not_taken_back_by_who_still_waited_for_it_there()
    {
        HeldReleases releases = null!;
        var sleepy = await ClusterNode.StartAsync(store, effects, change: services => services
            .AddSingleton(HeldReleases.Over(store.Journal, out releases, isGivenBack: true))
            .Configure<SessionHostOptions>(options => options.HibernateAfter = TimeSpan.Zero));
        await using var leaving = sleepy;
        var asleep = key with { Session = SessionId.New(TimeProvider.System) };
        await sleepy.Host.CallAsync(asleep, new SessionCommand.Create(Ada, new("demo/scripted", "opencode", null, PermissionMode.Auto), "A session"), default);
        await Eventually.HoldsAsync(() => releases.Keys.Contains(asleep), "that the session has left its host");

        var waiting = sleepy.Host.CallAsync(asleep, new SessionCommand.Rename(Ada, "asked where it was"), default).AsTask();
        Assert.True((await two.Host.CallAsync(asleep, new SessionCommand.Rename(Ada, "asked where it is"), default)).IsSuccess);
        releases.Open();

        Assert.True((await waiting.WaitAsync(Bound)).IsSuccess);
        Assert.Equal(two.Member.Location.Id, (await store.Journal.FindHeadAsync(asleep, default))!.Host);
        Assert.True(two.Member.Actors.IsActive(asleep));
    }

    [Fact]
    public async Task A_watcher_of_a_sleeping_session_is_told_when_another_host_opens_it()
    {
        await one.Host.DrainAsync(default);
        await using var three = await ClusterNode.StartAsync(store, effects, watchInterval: "10:00:00");
        await using var watching = (await three.Host.SubscribeAsync(key, null, default)).Value;
        await Eventually.HoldsAsync(() => store.Hosts.ListenersOf(key) == 1, "that it listens for who opens the session");

        Assert.True((await two.Host.CallAsync(key, Prompt("wake up"), default)).IsSuccess);

        await SeqsAsync(watching, watching.Start.Seq + 1);
        Assert.False(three.Member.Actors.IsActive(key));
    }

    [Fact]
    public async Task A_watcher_that_hears_nothing_finds_what_another_host_wrote_all_the_same()
    {
        store.Hosts.IsDeaf = true;
        await one.Host.DrainAsync(default);
        await using var three = await ClusterNode.StartAsync(store, effects);
        await using var watching = (await three.Host.SubscribeAsync(key, null, default)).Value;
        await Eventually.HoldsAsync(() => store.Hosts.ListenersOf(key) == 1, "that it listens for who opens the session");

        Assert.True((await two.Host.CallAsync(key, Prompt("wake up"), default)).IsSuccess);

        await SeqsAsync(watching, watching.Start.Seq + 1);
    }

    [Fact]
    public async Task A_watcher_goes_on_at_the_next_host_when_the_session_has_moved_while_it_waited_at_the_last()
    {
        await using var three = await ClusterNode.StartAsync(store, effects, watchInterval: "10:00:00");
        await using var watching = (await three.Host.SubscribeAsync(key, null, default)).Value;
        await two.Host.CallAsync(key, new SessionCommand.Rename(Ada, "At the first host"), default);
        await SeqsAsync(watching, watching.Start.Seq + 1);

        await one.Host.DrainAsync(default);
        await two.Host.CallAsync(key, new SessionCommand.Rename(Ada, "At the next"), default);

        await SeqsAsync(watching, watching.Start.Seq + 2);
    }

    [Fact]
    public async Task However_many_watch_a_session_on_a_host_it_asks_where_the_actor_is_once_for_all_of_them()
    {
        await using var three = await ClusterNode.StartAsync(store, effects, watchInterval: "10:00:00");
        List<ISessionSubscription> watching = [];
        for (var i = 0; i < 20; i++) watching.Add((await three.Host.SubscribeAsync(key, null, default)).Value);
        await Eventually.HoldsAsync(() => store.Hosts.ListenersOf(key) > 0, "that it watches");

        await two.Host.CallAsync(key, new SessionCommand.Rename(Ada, "Told to all"), default);

        foreach (var one in watching) await SeqsAsync(one, one.Start.Seq + 1);
        Assert.InRange(store.Hosts.ListenersOf(key), 0, 1);
        foreach (var one in watching) await one.DisposeAsync();
        Assert.Equal(0, store.Hosts.ListenersOf(key));
    }

    [Fact]
    public async Task What_was_said_to_a_peer_cannot_be_said_again_or_elsewhere_or_changed()
    {
        var body = PeerJson.Write(new PeerCall(key, new SessionCommand.GetView()));
        var signed = two.Signer.Sign(one.Member.Location.Id, new("POST", PeerClient.CallsPath, body)).ToString();

        Assert.Equal(HttpStatusCode.OK, await PostAsync(one, signed, body));
        Assert.Equal(HttpStatusCode.Unauthorized, await PostAsync(one, signed, body));
        Assert.Equal(HttpStatusCode.Unauthorized, await PostAsync(two, signed, body));
        var fresh = two.Signer.Sign(one.Member.Location.Id, new("POST", PeerClient.CallsPath, body)).ToString();
        Assert.Equal(HttpStatusCode.Unauthorized, await PostAsync(one, fresh, PeerJson.Write(new PeerCall(key, new SessionCommand.Archive(Ada)))));
        Assert.Equal(HttpStatusCode.Unauthorized, await PostAsync(one, null, body));
    }

    [Fact]
    public async Task A_peer_of_an_older_release_that_asks_for_a_look_at_a_session_that_sleeps_has_it_taken_by_nobody()
    {
        await one.Host.DrainAsync(default);
        var body = PeerJson.Write(new PeerCall(key, new SessionCommand.GetView()));

        Assert.Equal(HttpStatusCode.OK, await PostAsync(two, two.Signer.Sign(two.Member.Location.Id, new("POST", PeerClient.CallsPath, body)).ToString(), body));

        Assert.Null((await store.Journal.FindHeadAsync(key, default))!.Host);
    }

    [Fact]
    public async Task A_host_with_another_master_key_gets_nothing_and_is_believed_nothing()
    {
        await using var stranger = await ClusterNode.StartAsync(store, effects, "another key", searchTime: "00:00:00.500", isHostAtStart: false);

        var refused = await Assert.ThrowsAsync<PortException>(async () => await stranger.Host.CallAsync(key, Prompt("let me in"), default));
        Assert.Equal(PortFailureKind.Unavailable, refused.Kind);
        Assert.Contains("Vault:KeyFile", await stranger.Dependency.CheckAsync(default), StringComparison.Ordinal);
        Assert.Null(await one.Dependency.CheckAsync(default));
    }

    [Fact]
    public async Task A_peer_of_a_newer_release_that_asks_for_what_this_one_does_not_know_is_told_that_nothing_was_done()
    {
        var body = Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(PeerJson.Write(new PeerCall(key, new SessionCommand.GetView()))).Replace("GetView", "Levitate", StringComparison.Ordinal));
        var signed = two.Signer.Sign(one.Member.Location.Id, new("POST", PeerClient.CallsPath, body));

        using var http = TestHttp.Client(one.Member.Location.Address);
        using var request = new HttpRequestMessage(HttpMethod.Post, PeerClient.CallsPath) { Content = new ByteArrayContent(body) };
        request.Headers.TryAddWithoutValidation("Authorization", signed.ToString());
        using var answer = await http.SendAsync(request);
        var said = await answer.Content.ReadAsByteArrayAsync();

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.True(two.Signer.IsAnswerOf(one.Member.Location.Id, signed.Nonce, said, answer.Headers.GetValues(PeerSigner.AnswerHeader).Single()));
        var failure = PeerJson.Read<PeerAnswer>(said).Failure!;
        Assert.Equal((PortFailureKind.Unavailable, false, true), (failure.Kind, failure.EffectMayHaveHappened, failure.RetryAfter > TimeSpan.Zero));
    }

    [Fact]
    public async Task Whoever_comes_as_a_peer_with_a_box_and_does_not_say_who_they_are_is_neither_waited_for_nor_listened_to_at_length()
    {
        var time = new ManualTime(TimeProvider.System.GetUtcNow());
        await using var host = await ClusterNode.StartAsync(store, effects, time: time);
        using var silent = await IntroduceAsync(host);
        using var verbose = await IntroduceAsync(host);
        var (hearing, answered) = (silent.ReceiveAsync(new ArraySegment<byte>(new byte[1]), default), verbose.ReceiveAsync(new ArraySegment<byte>(new byte[1]), default));

        var piece = new byte[128 * 1024];
        await EndsAsync(async () =>
        {
            for (var sent = 0; sent < PeerSocket.LargestMessage / 2; sent += piece.Length) await verbose.SendAsync(new ArraySegment<byte>(piece), WebSocketMessageType.Binary, endOfMessage: false, default);
            await answered;
        });
        Assert.False(hearing.IsCompleted);
        await Eventually.HoldsAsync(() =>
        {
            time.Advance(TimeSpan.FromSeconds(11));
            return hearing.IsCompleted;
        }, "that the host hangs up");

        await EndsAsync(() => hearing);
        using var http = TestHttp.Client(host.Member.Location.Address);
        Assert.Equal(HttpStatusCode.Unauthorized, (await http.GetAsync(PeerBridges.Path)).StatusCode);
    }

    /// <summary>A socket with something that looks like a signature, which covers what was never said.</summary>
    private async Task<ClientWebSocket> IntroduceAsync(ClusterNode host)
    {
        var socket = new ClientWebSocket();
        socket.Options.SetRequestHeader("Authorization", one.Signer.Sign(host.Member.Location.Id, new("GET", PeerBridges.Path, "unsaid"u8.ToArray())).ToString());
        await socket.ConnectAsync(new UriBuilder(new Uri(host.Member.Location.Address, PeerBridges.Path)) { Scheme = "ws" }.Uri, default);
        return socket;
    }

    /// <summary>The host hangs up, however the network tells it.</summary>
    private static async Task EndsAsync(Func<Task> talking) => Assert.True(await Record.ExceptionAsync(() => talking().WaitAsync(Bound)) is WebSocketException or IOException);

    private static SessionCommand.Prompt Prompt(string text) => new(Ada, MessageId.New(TimeProvider.System), null, text, null, null);

    private static async Task<List<long>> SeqsAsync(ISessionSubscription watching, long until)
    {
        using var limit = new CancellationTokenSource(Bound);
        List<long> seqs = [];
        await foreach (var batch in watching.ReadAsync(limit.Token))
        {
            seqs.AddRange(batch.Events.Select(one => one.Seq));
            if (seqs[^1] >= until) break;
        }

        return seqs;
    }

    private static async Task<HttpStatusCode> PostAsync(ClusterNode node, string? signature, byte[] body)
    {
        using var http = TestHttp.Client(node.Member.Location.Address);
        using var request = new HttpRequestMessage(HttpMethod.Post, PeerClient.CallsPath) { Content = new ByteArrayContent(body) };
        if (signature is not null) request.Headers.TryAddWithoutValidation("Authorization", signature);
        using var answer = await http.SendAsync(request);
        return answer.StatusCode;
    }
}
