using System.Net;
using Coordinator.Client;
using Coordinator.Tests.Support;
using Npgsql;
using Xunit;

namespace Coordinator.Tests.Conformance.Postgres;

/// <summary>A database that takes no writes for a while, under a host that serves and people who follow.</summary>
public sealed class ReadOnlyDatabaseTests : IAsyncLifetime
{
    private readonly PostgresFixture database = new();

    public Task InitializeAsync() => database.InitializeAsync();

    public Task DisposeAsync() => database.DisposeAsync();

    [Fact]
    public async Task One_host_goes_on_being_read_and_followed_refuses_what_writes_and_takes_it_once_when_it_is_writable()
    {
        await using var host = await HostOnDatabase.StartAsync(new NpgsqlConnectionStringBuilder(database.ConnectionString) { Timeout = 5, CommandTimeout = 5 }.ConnectionString);
        await HostOnDatabase.UntilAsync(HttpStatusCode.OK, () => host.GetAsync("/health/ready"));
        await host.SignInAsync();
        var session = await HostOnDatabase.SessionAsync(() => host.CreateSessionAsync("before"));
        await using var before = new Following(host, session);
        await before.UntilAsync("session.created");

        await database.TakeWritesAsync(false);
        await HostOnDatabase.UntilAsync(HttpStatusCode.ServiceUnavailable, () => host.PromptAsync(session, "hello", "read-only"));
        var told = await host.PromptAsync(session, "hello", "read-only");
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "dependency_unavailable", true), (told.Status, told.Code, told.RetryAfter > TimeSpan.Zero));
        Assert.Equal(HttpStatusCode.OK, (await host.GetAsync($"/v1/sessions/{session}")).Status);
        var ready = "";
        await Eventually.HoldsAsync(async () => (ready = (await host.GetAsync("/health/ready")).Body).Contains("The database is read-only", StringComparison.Ordinal), "Readiness that says why", () => ready); // what was found a moment ago stands for a second
        Assert.Equal(["session.created"], await host.EventsAsync(session));
        await using var during = new Following(host, session); // who comes meanwhile is told what there is
        await during.UntilAsync("session.created");
        await database.TakeWritesAsync(true);
        await HostOnDatabase.UntilAsync(HttpStatusCode.OK, () => host.GetAsync("/health/ready")); // before anything is written

        var accepted = await HostOnDatabase.UntilAsync(HttpStatusCode.Accepted, () => host.PromptAsync(session, "hello", "read-only"));
        Assert.Equal(accepted.Body, (await HostOnDatabase.UntilAsync(HttpStatusCode.Accepted, () => host.PromptAsync(session, "hello", "read-only"))).Body);
        foreach (var follower in new[] { before, during })
        {
            await follower.UntilAsync("message.queued");
            Assert.Equal(0, follower.Reconnects); // it was followed all the while, on the one connection
            Assert.Equal(["session.created", "message.queued"], follower.Types.Where(type => type is "session.created" or "message.queued"));
            var seqs = follower.Seqs; // more may be shown meanwhile
            Assert.Equal(Enumerable.Range(1, seqs.Count).Select(seq => (long)seq), seqs);
        }
    }

    /// <summary>Somebody who follows a session live, and all that they were shown.</summary>
    private sealed class Following : IAsyncDisposable
    {
        private readonly Lock gate = new();
        private readonly List<SessionEvent> shown = [];
        private readonly CancellationTokenSource left = new();
        private readonly SessionFollower follower;
        private readonly Task following;

        public Following(HostOnDatabase host, string session)
        {
            follower = host.Follow(session);
            following = FollowAsync();
        }

        public int Reconnects => follower.Reconnects;

        public IReadOnlyList<long> Seqs => [.. Shown.Select(e => e.Seq)];

        public IReadOnlyList<string> Types => [.. Shown.Select(e => e.Type)];

        private SessionEvent[] Shown
        {
            get
            {
                lock (gate) return [.. shown];
            }
        }

        public Task UntilAsync(string type) => Eventually.HoldsAsync(() => following.IsFaulted || Types.Contains(type), $"that '{type}' is shown", () => string.Join(", ", Types));

        public async ValueTask DisposeAsync()
        {
            await left.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => following);
            left.Dispose();
        }

        private async Task FollowAsync()
        {
            await foreach (var told in follower.FollowAsync(null, left.Token))
            {
                lock (gate) shown.Add(told);
            }
        }
    }
}
