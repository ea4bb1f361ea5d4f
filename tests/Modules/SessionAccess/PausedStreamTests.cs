using System.Net.Http.Headers;
using System.Text.Json;
using Coordinator.Modules.SessionAccess.Sockets;
using Coordinator.Ports;
using Coordinator.Ports.Session;
using Coordinator.Tests.Support;
using Xunit;

namespace Coordinator.Tests.Modules.SessionAccess;

/// <summary>As <see cref="PausedClientTests"/>, of a reader of server-sent events, to whom nobody can say why its stream ends.</summary>
public sealed class PausedStreamTests : IAsyncLifetime
{
    private WatchedHost host = null!;
    private SessionServer server = null!;
    private SessionServer.Caller ada = null!;
    private TalkativeSession session = null!;

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await server.DisposeAsync();

    [Fact]
    public async Task A_reader_that_reads_on_after_too_much_was_told_comes_to_the_end_of_its_stream_and_resumes_without_gap_or_duplicate()
    {
        await StartAsync();
        using var paused = await FollowAsync(lastEventId: null);
        await session.TellAsync();

        await paused.ReadAsync(through: long.MaxValue);

        Assert.InRange(paused.Received, 1, TalkativeSession.MostHeld);
        Assert.Equal(SubscriptionCloseReason.TooSlow, Assert.Single(host.Subscriptions).Closed);
        await ResumeAsync(paused);
    }

    /// <summary>No more waits for it than its host may hold, so that it is the way to it that is full, however busy the machine is.</summary>
    [Fact]
    public async Task A_reader_that_takes_nothing_more_is_cut_off_and_resumes_without_gap_or_duplicate()
    {
        await StartAsync(followerBytes: 4 * TalkativeSession.MostHeld);
        using var paused = await FollowAsync(lastEventId: null);
        await paused.ReadAsync(through: 1); // its stream is under way: else the clock may be past the bound before anything was sent
        await session.TellAsync();

        await Eventually.AdvanceAsync(server.Time, FrameSocket.SendTimeout, () => server.Returns.Following == 0);
        await Assert.ThrowsAnyAsync<IOException>(() => paused.ReadAsync(through: long.MaxValue));

        Assert.InRange(paused.Received, 1, TalkativeSession.MostHeld);
        await ResumeAsync(paused);
    }

    private async Task StartAsync(int? followerBytes = null)
    {
        server = await SessionServer.StartAsync(before: inner => host = new(inner), followerBytes: followerBytes);
        ada = await server.CallerAsync();
        session = await TalkativeSession.StartAsync(server, ada);
    }

    /// <summary>Comes back after the last event that it was shown, and has been shown all there is at the end, each once and in order.</summary>
    private async Task ResumeAsync(StreamReading paused)
    {
        var last = await session.LastBehindAsync(paused.Shown);

        using var back = await FollowAsync(paused.LastId);
        await back.ReadAsync(through: last);

        TalkativeSession.AssertWhole([.. paused.Shown, .. back.Shown], last);
    }

    private async Task<StreamReading> FollowAsync(string? lastEventId)
    {
        var http = new HttpClient(TalkativeSession.Connections());
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(server.Address, $"/v1/sessions/{session.Key.Session}/events"));
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", ada.Secret);
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("text/event-stream"));
        if (lastEventId is not null) request.Headers.Add("Last-Event-ID", lastEventId);
        var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        return new(http, new StreamReader(await response.EnsureSuccessStatusCode().Content.ReadAsStreamAsync()));
    }

    /// <summary>What a reader has come to see of its stream: it keeps an event, and its id, once it has come whole.</summary>
    private sealed class StreamReading(HttpClient http, StreamReader reader) : IDisposable
    {
        public List<long> Shown { get; } = [];

        public string? LastId { get; private set; }

        /// <summary>Characters of all lines that came so far.</summary>
        public long Received { get; private set; }

        /// <summary>Reads events until one, or until the stream ends.</summary>
        public async Task ReadAsync(long through)
        {
            var (id, seq) = (string.Empty, 0L);
            while (Shown.LastOrDefault() < through && await reader.ReadLineAsync().WaitAsync(Eventually.Bound) is { } line)
            {
                Received += line.Length;
                if (line.StartsWith("id: ", StringComparison.Ordinal)) id = line[4..];
                if (line.StartsWith("data: ", StringComparison.Ordinal)) seq = JsonDocument.Parse(line[6..]).RootElement.GetProperty("seq").GetInt64();
                if (line.Length > 0 || seq == 0) continue;
                Shown.Add(seq);
                (LastId, seq) = (id, 0);
            }
        }

        public void Dispose()
        {
            reader.Dispose();
            http.Dispose();
        }
    }

    /// <summary>A session host whose subscriptions a test can look at.</summary>
    private sealed class WatchedHost(ISessionHost inner) : ISessionHost
    {
        public List<ISessionSubscription> Subscriptions { get; } = [];

        public async ValueTask<Result<ISessionSubscription>> SubscribeAsync(SessionKey key, SessionCursor? after, CancellationToken cancellationToken)
        {
            var subscription = await inner.SubscribeAsync(key, after, cancellationToken);
            if (subscription.IsSuccess) Subscriptions.Add(subscription.Value);
            return subscription;
        }

        public ValueTask<Result<SessionReply>> CallAsync(SessionKey key, SessionCommand command, CancellationToken cancellationToken) => inner.CallAsync(key, command, cancellationToken);

        public ValueTask<Result<IBridgeLink>> AttachBridgeAsync(SessionKey key, BoxCredential credential, BridgeHello hello, IBridgeSink sink, CancellationToken cancellationToken) =>
            inner.AttachBridgeAsync(key, credential, hello, sink, cancellationToken);

        public ISessionHold? TryHold(SessionKey key) => inner.TryHold(key);

        public ValueTask DrainAsync(CancellationToken cancellationToken) => inner.DrainAsync(cancellationToken);
    }
}
