using System.Globalization;
using System.Net.Http.Headers;
using Coordinator.Ports;
using Coordinator.Ports.Session;
using Coordinator.Tests.Support;
using Xunit;

namespace Coordinator.Tests.Modules.SessionAccess;

/// <summary>
/// A host with many followers is told to stop: what each is told over its own connection of when to come back. With so many the span is half a
/// minute, so that a dozen who are spread over it and are all told the same second do not happen.
/// </summary>
public sealed class ReconnectStormTests : ServedTests
{
    private const int Many = 50_000;
    private const int Looked = 12;
    private const int LongestMs = 30_000;

    /// <summary>A stream is told no less, whatever the others are told: a browser keeps what it is told.</summary>
    private const int LeastOfStreamMs = 500;

    [Fact]
    public async Task A_storm_of_reconnecting_sockets_is_spread_by_what_each_is_told()
    {
        var session = await SessionServer.CreateAsync(Ada);
        Crowd();
        var sockets = await Task.WhenAll(Enumerable.Range(0, Looked).Select(_ => SocketAsync(session)));

        await Server.Sessions.DrainAsync(default);
        var told = await Task.WhenAll(sockets.Select(async socket => (await socket.NextAsync("restarting")).GetProperty("returnAfterMs").GetInt32()));

        AssertSpread(told, least: 0);
        foreach (var socket in sockets) socket.Dispose();
    }

    [Fact]
    public async Task A_storm_of_reconnecting_streams_is_spread_by_what_each_is_told()
    {
        var session = await SessionServer.CreateAsync(Ada);
        Crowd();
        var streams = await Task.WhenAll(Enumerable.Range(0, Looked).Select(_ => StreamAsync(session)));

        await Server.Sessions.DrainAsync(default);
        var told = await Task.WhenAll(streams.Select(RetryAsync));

        AssertSpread(told, LeastOfStreamMs);
        foreach (var stream in streams) stream.Dispose();
    }

    [Fact]
    public async Task Who_follows_counts_among_those_that_come_back_for_as_long_as_it_does__whatever_it_follows_by()
    {
        var session = await SessionServer.CreateAsync(Ada);
        using var socket = await SocketAsync(session);
        await FollowAsync(1);
        using var stream = await StreamAsync(session);
        await FollowAsync(2);

        stream.Dispose();
        await FollowAsync(1);
        socket.Dispose();
        await FollowAsync(0);
    }

    private void Crowd()
    {
        for (var i = 0; i < Many; i++) Server.Returns.Joined();
    }

    private static void AssertSpread(int[] told, int least)
    {
        Assert.All(told, wait => Assert.InRange(wait, least, least + LongestMs));
        Assert.InRange(told.Max() - told.Min(), 1_000, LongestMs);
    }

    private Task FollowAsync(int count) => Eventually.HoldsAsync(() => Server.Returns.Following == count, $"{count} followers", () => $"There are {Server.Returns.Following}.");

    private async Task<SocketClient> SocketAsync(SessionId session)
    {
        var socket = await Server.FollowAsync(Ada, session);
        await socket.SendAsync("""{"type":"subscribe"}""");
        await socket.NextAsync("ready");
        return socket;
    }

    private async Task<HttpResponseMessage> StreamAsync(SessionId session)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/v1/sessions/{session}/events");
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("text/event-stream"));
        return (await Ada.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead)).EnsureSuccessStatusCode();
    }

    /// <summary>What the stream's last line says.</summary>
    private static async Task<int> RetryAsync(HttpResponseMessage stream)
    {
        var told = await stream.Content.ReadAsStringAsync().WaitAsync(Eventually.Bound);
        return int.Parse(told.TrimEnd().Split('\n')[^1]["retry: ".Length..], CultureInfo.InvariantCulture);
    }
}
