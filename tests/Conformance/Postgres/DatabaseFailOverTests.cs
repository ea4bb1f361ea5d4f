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

    public async Task InitializeAsync() => pair = await FailOverPair.StartAsync();

    public async Task DisposeAsync()
    {
        if (pair is not null) await pair.DisposeAsync();
    }

    [Fact]
    public async Task Failed_over_under_load_callers_are_told_to_come_again_and_everything_acknowledged_is_there_once()
    {
        await using var host = await HostOnDatabase.StartAsync(Pair.ConnectionString, "--Cluster:Address=http://127.0.0.1:1");
        await HostOnDatabase.UntilAsync(HttpStatusCode.OK, () => host.GetAsync("/health/ready"));
        await host.SignInAsync();
        var (made, enough) = (0, false);
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
    }

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
