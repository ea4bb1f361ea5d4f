using System.Diagnostics;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Coordinator.Tests.Cluster.World;
using Coordinator.Tests.Support;
using Coordinator.Tests.Support.Http;
using Xunit;
using Xunit.Abstractions;

namespace Coordinator.Tests.Cluster;

/// <summary>A model call goes on at one host while the owner of its session hangs.</summary>
public sealed class HungOwnerTests(ITestOutputHelper output)
{
    /// <summary>Twice the default: nobody takes over before the answers are held up no longer.</summary>
    private const int TimeToLive = 20;

    /// <summary>The default.</summary>
    private const int UsualTimeToLive = 10;

    [Fact]
    public async Task What_a_model_call_used_that_ended_while_the_owner_hung_stands_once_in_the_journal_whether_the_owner_had_written_it_or_not()
    {
        await using var provider = await HeldProvider.StartAsync();
        await using var world = await ClusterWorld.StartAsync(2, timeToLive: TimeToLive, more: provider.HostSettings);
        var hung = (await world.Journal.IdsAsync(world.Hosts[0].Url))[^1];
        var (written, unwritten) = (await Turn.BeginAsync(world), await Turn.BeginAsync(world));

        // One append is sent and waits for its row; the owner is not there any more to be told that it was written.
        await written.CallAsync();
        await using var held = await world.Journal.HoldAsync(written.Session);
        provider.LetEnd();
        await Eventually.HoldsAsync(() => world.Journal.SomebodyWaitsAsync(held), "the owner's append to wait");
        await unwritten.CallAsync();
        await world.Hosts[0].SuspendAsync();
        var began = Stopwatch.GetTimestamp();
        await held.DisposeAsync();
        provider.LetEnd();
        await Eventually.HoldsAsync(async () => await written.RecordedAsync() > 0, "the owner's append");
        Assert.False(await world.Journal.IsDeadAsync(hung), "The owner was buried before.");
        var ended = await Task.WhenAll(written.HeardAsync(), unwritten.HeardAsync());
        output.WriteLine($"The answers were cut after {Stopwatch.GetElapsedTime(began).TotalSeconds:0.0} s.");
        Assert.All(ended, Assert.False);
        await Eventually.HoldsAsync(async () => await unwritten.RecordedAsync() > 0, "the usage to be recorded");
        output.WriteLine($"It was recorded after {Stopwatch.GetElapsedTime(began).TotalSeconds:0.0} s.");

        await world.Hosts[0].ResumeAsync();
        await Eventually.HoldsAsync(async () => await world.Journal.IdsAsync(world.Hosts[0].Url) is [.., var newest] && newest != hung && await world.Journal.IsAliveAsync(newest), "the owner to come back under another id");
        await written.EndsWithOneAsync();
        await unwritten.EndsWithOneAsync();
        Assert.Equal(2, provider.Calls);
    }

    [Fact]
    public async Task A_model_call_that_is_begun_while_the_owner_hangs_is_answered_and_paid_once_when_another_host_has_its_session()
    {
        await using var provider = await HeldProvider.StartAsync();
        await using var world = await ClusterWorld.StartAsync(2, timeToLive: UsualTimeToLive, more: provider.HostSettings);
        var turn = await Turn.BeginAsync(world);
        await turn.MayCallAsync();
        await world.Hosts[0].SuspendAsync();
        var began = Stopwatch.GetTimestamp();

        await turn.CallPatientlyAsync();

        output.WriteLine($"It was answered after {Stopwatch.GetElapsedTime(began).TotalSeconds:0.0} s.");
        provider.LetEnd();
        Assert.True(await turn.HeardAsync());
        await world.Hosts[0].ResumeAsync();
        await turn.EndsWithOneAsync();
        Assert.Equal(1, provider.Calls);
    }

    /// <summary>A session of the owner, in the middle of a turn whose box asks a model over the other host.</summary>
    private sealed class Turn(ClusterWorld world, string session, string message, ScriptedBox box, WatchingClient client)
    {
        private HttpClient? gateway;
        private string? token;
        private HttpResponseMessage? answer;

        public string Session => session;

        public static async Task<Turn> BeginAsync(ClusterWorld world)
        {
            var (session, message) = await world.SessionAsync(0, "count to 50");
            var turn = new Turn(world, session, message, await world.BoxAsync(session, [1], holdBefore: 10), world.Watch(session, 1));
            await turn.GoesOnAsync();
            return turn;
        }

        /// <summary>Gives the box what it calls models with, which its session has to agree to.</summary>
        public async Task MayCallAsync()
        {
            gateway = TestHttp.Client(world.Hosts[1].Url);
            world.Also(new Ending(gateway));
            using var minting = Request("v1/bridge/gateway-token", (await world.Plane!.GrantOfAsync(session)).Token, null);
            using var minted = await gateway.SendAsync(minting);
            using var answered = JsonDocument.Parse(await minted.EnsureSuccessStatusCode().Content.ReadAsStringAsync());
            token = answered.RootElement.GetProperty("token").GetString()!;
        }

        /// <summary>Returns once the answer has begun.</summary>
        public async Task CallAsync()
        {
            if (token is null) await MayCallAsync();
            using var request = Request(HeldProvider.Path, token!, """{"model":"slow","stream":true,"messages":[]}""");
            answer = (await gateway!.SendAsync(request, HttpCompletionOption.ResponseHeadersRead)).EnsureSuccessStatusCode();
        }

        /// <summary>The same as the program in a box does it: what is broken off unanswered is called again, and a refusal is an answer.</summary>
        public Task CallPatientlyAsync() => Eventually.HoldsAsync(
            async () =>
            {
                try
                {
                    await CallAsync();
                    return true;
                }
                catch (HttpRequestException broken) when (broken.StatusCode is null)
                {
                    return false;
                }
            },
            "the model to answer");

        /// <summary>True when the answer was given its end, false when it was cut.</summary>
        public async Task<bool> HeardAsync()
        {
            using var heard = new MemoryStream();
            var reading = answer!.Content.CopyToAsync(heard).WaitAsync(Eventually.Bound);
            await reading.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            Assert.False(reading.Exception?.InnerException is TimeoutException, "The answer neither ended nor was it cut.");
            Assert.Equal(reading.IsCompletedSuccessfully, Encoding.UTF8.GetString(heard.ToArray()).Contains(HeldProvider.End, StringComparison.Ordinal));
            return reading.IsCompletedSuccessfully;
        }

        public async Task<int> RecordedAsync() => (await world.JournalOfAsync(session, 1)).Count(e => e.Type == "usage.recorded");

        /// <summary>The turn goes on to its end, and the call was counted once.</summary>
        public async Task EndsWithOneAsync()
        {
            box.Release();
            await client.UntilEndedAsync(message);
            Assert.Equal(1, await RecordedAsync());
            Assert.Equal(HeldProvider.InputTokens, (await world.ClientOf(1).GetSessionAsync(session, CancellationToken.None)).Usage.InputTokens);
            await world.HoldsAsync(session, 1, box, new Dictionary<string, int> { [message] = 50 }, client);
        }

        private static HttpRequestMessage Request(string path, string token, string? json)
        {
            var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = json is null ? null : new StringContent(json, Encoding.UTF8, "application/json") };
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
            return request;
        }

        private Task GoesOnAsync() => client.UntilSaidAsync(message, 9);
    }

    /// <summary>A connection of a box, which ends with its world.</summary>
    private sealed class Ending(IDisposable connection) : IAsyncDisposable
    {
        public ValueTask DisposeAsync()
        {
            connection.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
