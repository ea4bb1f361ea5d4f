using System.Net;
using System.Text.Json;
using Coordinator.Tests.Support;
using Xunit;

namespace Coordinator.Tests.Conformance.Postgres;

/// <summary>A server that dies for good under a host, and the one that followed it.</summary>
public sealed class DatabaseFailOverTests : IAsyncLifetime
{
    private FailOverPair? pair;

    private FailOverPair Pair => pair!;

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        if (pair is not null) await pair.DisposeAsync();
    }

    [Fact]
    public async Task Failed_over_under_load_callers_are_told_to_come_again_and_everything_acknowledged_is_there_once()
    {
        await using var host = await StartAsync(isConfirmed: true, "--Cluster:Address=http://127.0.0.1:1");
        var first = await CreateAsync(host, "first");
        var incarnation = await IncarnationAsync(host, first);
        var (made, enough) = (1, false);
        var making = Task.Run(async () =>
        {
            for (var number = 0; !Volatile.Read(ref enough); number++)
            {
                var key = $"session-{number}";
                await HostOnDatabase.UntilAsync(HttpStatusCode.Created, () => host.CreateSessionAsync(key));
                Interlocked.Increment(ref made);
            }
        });
        await Eventually.HoldsAsync(() => making.IsCompleted || Volatile.Read(ref made) >= 10, "that sessions are made");

        await Pair.KillFirstAsync();
        var madeBefore = Volatile.Read(ref made);
        await EmbeddedServerFolder.UntilAsync("it is said to be away", async () => (await host.GetAsync("/health/ready")).Status == HttpStatusCode.ServiceUnavailable);
        await Pair.PromoteSecondAsync();
        await Eventually.HoldsAsync(() => making.IsCompleted || Volatile.Read(ref made) >= madeBefore + 10, "that sessions are made again");
        Volatile.Write(ref enough, true);
        await making;

        await HostOnDatabase.UntilAsync(HttpStatusCode.OK, () => host.GetAsync("/health/ready"));
        Assert.Equal(Volatile.Read(ref made), await SessionsAsync(host));
        await Eventually.HoldsAsync(async () => await IncarnationAsync(host, first) != incarnation, "that the session is another incarnation, though nothing was lost: the host cannot know");
    }

    [Theory]
    [InlineData]
    [InlineData("--Cluster:Address=http://127.0.0.1:1")]
    public async Task Failed_over_to_a_server_that_lacks_what_was_acknowledged_every_session_is_another_incarnation_and_says_so(params string[] settings)
    {
        await using var host = await StartAsync(isConfirmed: false, settings);
        var kept = await CreateAsync(host, "kept");
        var cursor = await CursorAsync(host, kept);
        await Pair.PartAsync();
        var lost = await CreateAsync(host, "lost");

        await Pair.KillFirstAsync();
        await Pair.PromoteSecondAsync();

        await Eventually.HoldsAsync(async () => (await host.GetAsync($"/v1/sessions/{kept}/events?after={cursor}")).Status == HttpStatusCode.Gone, "that a place in what may be gone is refused");
        await HostOnDatabase.UntilAsync(HttpStatusCode.NotFound, () => host.GetAsync($"/v1/sessions/{lost}"));
        await Eventually.HoldsAsync(async () => await IncarnationAsync(host, kept) != Incarnation(cursor), "that the session is another incarnation");
        await HostOnDatabase.UntilAsync(HttpStatusCode.OK, async () => await host.GetAsync($"/v1/sessions/{kept}/events?after={await CursorAsync(host, kept)}"));
        var later = await CreateAsync(host, "later");
        Assert.Equal(await IncarnationAsync(host, kept), await IncarnationAsync(host, later));
    }

    private async Task<HostOnDatabase> StartAsync(bool isConfirmed, params string[] settings)
    {
        pair = await FailOverPair.StartAsync(isConfirmed);
        var host = await HostOnDatabase.StartAsync(Pair.ConnectionString, settings);
        await HostOnDatabase.UntilAsync(HttpStatusCode.OK, () => host.GetAsync("/health/ready"));
        await host.SignInAsync();
        return host;
    }

    private static async Task<string> CreateAsync(HostOnDatabase host, string key)
    {
        var answer = await HostOnDatabase.UntilAsync(HttpStatusCode.Created, () => host.CreateSessionAsync(key));
        return JsonDocument.Parse(answer.Body).RootElement.GetProperty("id").GetString()!;
    }

    private static async Task<string> CursorAsync(HostOnDatabase host, string session)
    {
        var answer = await HostOnDatabase.UntilAsync(HttpStatusCode.OK, () => host.GetAsync($"/v1/sessions/{session}"));
        return JsonDocument.Parse(answer.Body).RootElement.GetProperty("cursor").GetString()!;
    }

    private static async Task<string> IncarnationAsync(HostOnDatabase host, string session) => Incarnation(await CursorAsync(host, session));

    private static string Incarnation(string cursor) => cursor[..cursor.IndexOf('.', StringComparison.Ordinal)];

    private static async Task<int> SessionsAsync(HostOnDatabase host)
    {
        var count = 0;
        for (var query = "/v1/sessions?limit=200"; ;)
        {
            var page = JsonDocument.Parse((await HostOnDatabase.UntilAsync(HttpStatusCode.OK, () => host.GetAsync(query))).Body).RootElement;
            count += page.GetProperty("items").GetArrayLength();
            if (page.GetProperty("nextCursor").GetString() is not { } next) return count;
            query = $"/v1/sessions?limit=200&cursor={Uri.EscapeDataString(next)}";
        }
    }
}
