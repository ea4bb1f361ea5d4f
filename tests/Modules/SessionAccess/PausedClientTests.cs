using System.Globalization;
using System.Net.WebSockets;
using System.Text.Json;
using Coordinator.Modules.SessionAccess.Sockets;
using Coordinator.Tests.Support;
using Xunit;

namespace Coordinator.Tests.Modules.SessionAccess;

/// <summary>A client that stops reading its socket while its session goes on, over real TCP: what the server keeps for it, how it is let go, and how it comes back.</summary>
public sealed class PausedClientTests : ServedTests
{
    private TalkativeSession session = null!;

    [Fact]
    public async Task A_client_that_reads_on_after_too_much_was_told_is_dropped_with_4408_and_resumes_without_gap_or_duplicate()
    {
        session = await TalkativeSession.StartAsync(Server, Ada);
        using var paused = await FollowAsync(after: null);
        await session.TellAsync();

        var shown = new List<long>();
        Assert.Equal(SocketClose.Slow, await ReadAsync(paused, shown, through: long.MaxValue));

        Assert.InRange(paused.Received, 1, TalkativeSession.MostHeld);
        await ResumeAsync(shown);
    }

    [Fact]
    public async Task A_client_that_takes_nothing_at_all_is_cut_off_and_resumes_without_gap_or_duplicate()
    {
        session = await TalkativeSession.StartAsync(Server, Ada);
        using var paused = await FollowAsync(after: null);
        await session.TellAsync();

        await Eventually.AdvanceAsync(Server.Time, FrameSocket.SendTimeout, () => Server.Log.Text.Contains($"/v1/sessions/{session.Key.Session}/ws - 101", StringComparison.Ordinal));
        var shown = new List<long>();
        await Assert.ThrowsAsync<WebSocketException>(() => ReadAsync(paused, shown, through: long.MaxValue));

        Assert.InRange(paused.Received, 1, TalkativeSession.MostHeld);
        await ResumeAsync(shown);
    }

    private async Task<SocketClient> FollowAsync(long? after)
    {
        var client = await Server.ConnectAsync(TalkativeSession.Connections(), $"/v1/sessions/{session.Key.Session}/ws", "coordinator.v1", Ada.Secret);
        await client.SendAsync(after is null ? """{"type":"subscribe"}""" : string.Create(CultureInfo.InvariantCulture, $$"""{"type":"subscribe","after":"1.{{after}}"}"""));
        await client.NextAsync("ready");
        return client;
    }

    /// <summary>Reads events until one, or until the server closes: the code that it closes with.</summary>
    private static async Task<int?> ReadAsync(SocketClient client, List<long> shown, long through)
    {
        while (shown.LastOrDefault() < through)
        {
            var (frame, close) = await client.NextOrCloseAsync();
            if (frame is not { } told) return close;
            if (told.GetProperty("type").GetString() == "events") shown.AddRange(told.GetProperty("events").EnumerateArray().Select(Seq));
        }

        return null;
    }

    /// <summary>Comes back after the last event that it was shown, and has been shown all there is at the end, each once and in order.</summary>
    private async Task ResumeAsync(List<long> shown)
    {
        var last = await session.LastBehindAsync(shown);

        using var back = await FollowAsync(after: shown[^1]);
        Assert.Null(await ReadAsync(back, shown, through: last));

        TalkativeSession.AssertWhole(shown, last);
    }

    private static long Seq(JsonElement envelope) => envelope.GetProperty("seq").GetInt64();
}
