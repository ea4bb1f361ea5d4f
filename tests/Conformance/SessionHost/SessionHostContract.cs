using System.Text;
using System.Text.Json;
using Coordinator.Ports;
using Coordinator.Ports.Session;
using Xunit;

namespace Coordinator.Tests.Conformance.SessionHost;

/// <summary>What every <see cref="ISessionHost"/> promises.</summary>
public abstract class SessionHostContract : IAsyncLifetime
{
    private static readonly Principal Ada = new(PrincipalKind.User, "usr_ada", "Ada");
    private static readonly SessionSettings Settings = new("demo/scripted", "opencode", null, PermissionMode.Auto);
    private static readonly CancellationToken None = CancellationToken.None;

    private readonly SessionKey key = new(OrganizationId.New(TimeProvider.System), SessionId.New(TimeProvider.System));
    private SessionHostHarness harness = null!;

    protected abstract SessionHostHarness CreateHarness();

    private ISessionHost Host => harness.Host;

    public Task InitializeAsync()
    {
        harness = CreateHarness();
        return Task.CompletedTask;
    }

    public async Task DisposeAsync() => await harness.DisposeAsync();

    private ValueTask<Result<SessionReply>> CreateAsync() => Host.CallAsync(key, new SessionCommand.Create(Ada, Settings, "A session"), None);

    private ValueTask<Result<SessionReply>> PromptAsync(string text) =>
        Host.CallAsync(key, new SessionCommand.Prompt(Ada, MessageId.New(TimeProvider.System), null, text, null, null), None);

    private async Task<SessionView> LookAsync() => ((SessionReply.View)(await Host.CallAsync(key, new SessionCommand.GetView(), None)).Value).Session;

    private static string? TitleOf(SessionView view) => JsonDocument.Parse(view.Json).RootElement.GetProperty("title").GetString();

    private async Task<ISessionSubscription> FollowAsync(SessionCursor? after) => (await Host.SubscribeAsync(key, after, None)).Value;

    private static async Task<List<JsonElement>> ReadAsync(ISessionSubscription subscription, Func<JsonElement, bool> last)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        List<JsonElement> events = [];
        await foreach (var batch in subscription.ReadAsync(limit.Token))
        {
            foreach (var slice in batch.Events)
            {
                events.Add(JsonDocument.Parse(batch.Utf8.Slice(slice.Offset, slice.Length)).RootElement);
                if (last(events[^1])) return events;
            }
        }

        return events;
    }

    private static Func<JsonElement, bool> Type(string type) => e => e.GetProperty("type").GetString() == type;

    private async Task<(IBridgeLink Link, RecordingSink Sink, BoxCredential Credential)> AttachAsync()
    {
        await using (var events = await FollowAsync(new(1, 0))) await ReadAsync(events, Type("sandbox.booting"));
        var create = harness.Effects.Ran.OfType<SessionEffect.CreateSandbox>().Last();
        var credential = new BoxCredential(create.Sandbox, create.Generation, new PlainTokens().HashFor(key, create.Sandbox, create.Generation));
        var sink = new RecordingSink();
        var link = await Host.AttachBridgeAsync(key, credential, new(1, 1, create.Sandbox, create.Generation, "spool", [], []), sink, None);
        return (link.Value, sink, credential);
    }

    private static BoxFrame.Event Event(long n, string kind, MessageId? message, string data) => new(n, kind, message, Encoding.UTF8.GetBytes(data));

    [Fact]
    public async Task A_session_that_does_not_exist_is_not_found_whatever_is_asked_of_it()
    {
        Assert.Equal("session_not_found", (await PromptAsync("hello")).Problem?.Code);
        Assert.Equal("session_not_found", (await Host.SubscribeAsync(key, null, None)).Problem?.Code);
        var credential = new BoxCredential(SandboxId.New(TimeProvider.System), 1, new byte[32]);
        Assert.Equal("session_not_found", (await Host.AttachBridgeAsync(key, credential, new(1, 1, credential.Sandbox, 1, "s", [], []), new RecordingSink(), None)).Problem?.Code);
    }

    [Fact]
    public async Task Calls_to_one_session_are_turns_that_never_overlap()
    {
        await CreateAsync();
        var replies = await Task.WhenAll(Enumerable.Range(0, 50).Select(i => Task.Run(() => PromptAsync($"prompt {i}").AsTask())));
        Assert.Equal(Enumerable.Range(0, 50), replies.Select(r => ((SessionReply.MessageAccepted)r.Value).Position).Order());
    }

    [Fact]
    public async Task A_follower_from_the_start_sees_every_event_once_and_in_order_past_and_live()
    {
        await CreateAsync();
        for (var i = 0; i < 20; i++) await PromptAsync($"past {i}");
        await using var events = await FollowAsync(new(1, 0));
        var reading = ReadAsync(events, e => Type("message.queued")(e) && e.GetProperty("data").GetProperty("text").GetString() == "live 19");
        for (var i = 0; i < 20; i++) await PromptAsync($"live {i}");
        var seen = (await reading).Select(e => e.GetProperty("seq").GetInt64()).ToList();
        Assert.Equal(Enumerable.Range(1, seen.Count).Select(i => (long)i), seen);
    }

    [Fact]
    public async Task A_follower_without_a_cursor_begins_at_the_head_with_the_view_that_is_true_there()
    {
        await CreateAsync();
        await using var events = await FollowAsync(null);
        var view = JsonDocument.Parse(events.View.Json).RootElement;
        Assert.Equal(key.Session.ToString(), view.GetProperty("id").GetString());
        Assert.Equal(events.Start.ToString(), view.GetProperty("cursor").GetString());
        await PromptAsync("hello");
        var first = await ReadAsync(events, _ => true);
        Assert.Equal(events.Start.Seq + 1, first.Single().GetProperty("seq").GetInt64());
    }

    [Fact]
    public async Task A_cursor_of_another_history_or_ahead_of_the_head_is_told_to_reload()
    {
        await CreateAsync();
        Assert.Equal("cursor_invalid", (await Host.SubscribeAsync(key, new(2, 0), None)).Problem?.Code);
        Assert.Equal(ProblemKind.Gone, (await Host.SubscribeAsync(key, new(1, 1_000_000), None)).Problem?.Kind);
    }

    [Fact]
    public async Task A_batch_that_changed_the_view_brings_the_new_one()
    {
        await CreateAsync();
        await using var events = await FollowAsync(null);
        await Host.CallAsync(key, new SessionCommand.Rename(Ada, "Renamed"), None);
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        await foreach (var batch in events.ReadAsync(limit.Token))
        {
            Assert.Equal("Renamed", JsonDocument.Parse(batch.View!.Json).RootElement.GetProperty("title").GetString());
            Assert.True(batch.View.Cursor.Seq >= batch.LastSeq);
            return;
        }

        Assert.Fail("No batch came.");
    }

    [Fact]
    public async Task A_box_joins_and_its_events_are_acknowledged_when_they_are_durable()
    {
        await CreateAsync();
        await PromptAsync("work");
        var (link, sink, _) = await AttachAsync();
        await using (link)
        {
            Assert.Equal(0, (await sink.NextAsync<HostFrame.Welcome>()).AckedN);
            await link.PostAsync(Event(1, "boot.ready", null, """{"agent":{"name":"a","version":"1"},"resumed":false,"elapsedMs":1}"""), None);
            Assert.Equal(1, (await sink.NextAsync<HostFrame.Ack>()).N);
            var prompt = await sink.NextAsync<HostFrame.Prompt>();
            Assert.Equal("work", prompt.Text);
            await link.PostAsync(Event(2, "message.accepted", prompt.Message, "{}"), None);
            await link.PostAsync(Event(3, "message.ended", prompt.Message, """{"outcome":"completed"}"""), None);
            await using var events = await FollowAsync(new(1, 0));
            await ReadAsync(events, Type("run.flushed"));
            Assert.Contains(harness.Effects.Ran, e => e is SessionEffect.FlushRun);
        }
    }

    [Fact]
    public async Task A_box_that_is_not_wanted_does_not_join()
    {
        await CreateAsync();
        await PromptAsync("work");
        var (link, _, credential) = await AttachAsync();
        await link.DisposeAsync();
        var hello = new BridgeHello(1, 1, credential.Sandbox, credential.Generation, "spool", [], []);
        Assert.Equal(ProblemKind.Unauthenticated, (await Host.AttachBridgeAsync(key, credential with { TokenHash = new byte[32] }, hello, new RecordingSink(), None)).Problem?.Kind);
        await Host.CallAsync(key, new SessionCommand.Archive(Ada), None);
        Assert.Equal(ProblemKind.Gone, (await Host.AttachBridgeAsync(key, credential, hello, new RecordingSink(), None)).Problem?.Kind);
    }

    [Fact]
    public async Task A_newer_socket_of_a_box_replaces_the_older_one()
    {
        await CreateAsync();
        await PromptAsync("work");
        var (_, first, credential) = await AttachAsync();
        var second = new RecordingSink();
        await Host.AttachBridgeAsync(key, credential, new(1, 1, credential.Sandbox, credential.Generation, "spool", [], []), second, None);
        Assert.Equal(LinkCloseReason.Replaced, await first.Closed.Task.WaitAsync(TimeSpan.FromSeconds(10)));
        Assert.IsType<HostFrame.Welcome>(await second.NextAsync<HostFrame>());
    }

    [Fact]
    public async Task Draining_tells_everybody_to_come_back_and_takes_no_more_calls()
    {
        await CreateAsync();
        await PromptAsync("work");
        var (_, sink, _) = await AttachAsync();
        await using var events = await FollowAsync(null);
        await Host.DrainAsync(None);
        Assert.Equal(LinkCloseReason.HostRestarting, await sink.Closed.Task.WaitAsync(TimeSpan.FromSeconds(10)));
        await foreach (var _ in events.ReadAsync(None))
        {
            // whatever was still on its way
        }

        Assert.Equal(SubscriptionCloseReason.HostRestarting, events.Closed);
        var refused = await Assert.ThrowsAsync<PortException>(async () => await PromptAsync("too late"));
        var sentAway = await Assert.ThrowsAsync<PortException>(async () => await FollowAsync(null));
        Assert.All([refused, sentAway], each => Assert.Equal((PortFailureKind.Unavailable, true), (each.Kind, each.IsPlanned)));
    }

    [Fact]
    public async Task A_look_tells_what_was_made_durable_last_and_where_it_stands()
    {
        Assert.Equal("session_not_found", (await Host.CallAsync(key, new SessionCommand.GetView(), None)).Problem?.Code);
        await CreateAsync();
        await Host.CallAsync(key, new SessionCommand.Rename(Ada, "Renamed"), None);
        await using var follower = await FollowAsync(null);
        var seen = await LookAsync();
        Assert.Equal("Renamed", TitleOf(seen));
        Assert.Equal(follower.Start, seen.Cursor);
    }

    [Fact]
    public async Task A_look_is_answered_while_its_host_drains_and_once_it_has()
    {
        await CreateAsync();
        var hold = Host.TryHold(key)!;
        var draining = Host.DrainAsync(None).AsTask();
        await Host.CallAsync(key, new SessionCommand.Rename(Ada, "Renamed meanwhile"), None);
        var meanwhile = await LookAsync();
        hold.Dispose();
        await draining.WaitAsync(TimeSpan.FromSeconds(10));
        await Assert.ThrowsAsync<PortException>(async () => await PromptAsync("too late"));

        var afterwards = await LookAsync();

        Assert.Equal("Renamed meanwhile", TitleOf(meanwhile));
        Assert.Equal((meanwhile.Cursor, "Renamed meanwhile"), (afterwards.Cursor, TitleOf(afterwards)));
        var unknown = key with { Session = SessionId.New(TimeProvider.System) };
        Assert.Equal("session_not_found", (await Host.CallAsync(unknown, new SessionCommand.GetView(), None)).Problem?.Code);
    }

    [Fact]
    public async Task A_drain_waits_for_what_is_held_and_serves_its_session_until_then()
    {
        await CreateAsync();
        var (first, second) = (Host.TryHold(key)!, Host.TryHold(key)!);
        var draining = Host.DrainAsync(None).AsTask();
        Assert.True((await Host.CallAsync(key, new SessionCommand.Rename(Ada, "told while it drains"), None)).IsSuccess);
        first.Dispose();
        first.Dispose(); // once more is nothing
        Assert.True((await Host.CallAsync(key, new SessionCommand.Rename(Ada, "and once more"), None)).IsSuccess);
        Assert.False(draining.IsCompleted || second.GivenUp.IsCancellationRequested);
        second.Dispose();
        await draining.WaitAsync(TimeSpan.FromSeconds(10));
        await Assert.ThrowsAsync<PortException>(async () => await PromptAsync("too late"));
    }

    [Fact]
    public async Task A_host_that_drains_lets_nothing_more_be_held()
    {
        await CreateAsync();
        using (Host.TryHold(key)!)
        {
            var draining = Host.DrainAsync(None).AsTask();
            Assert.Null(Host.TryHold(key));
            await Assert.ThrowsAsync<PortException>(async () => await Host.SubscribeAsync(key, null, None));
            Assert.False(draining.IsCompleted);
        }

        Assert.Null(Host.TryHold(key));
    }
}
