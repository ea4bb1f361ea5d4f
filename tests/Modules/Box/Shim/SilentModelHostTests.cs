using System.Net;
using Coordinator.Adapters.Postgres;
using Coordinator.Ports.Models.Relaying;
using Coordinator.Tests.Support;
using Microsoft.AspNetCore.Http;
using Xunit;
using static Coordinator.Tests.Modules.Box.Shim.ShimRig;

namespace Coordinator.Tests.Modules.Box.Shim;

/// <summary>Model calls whose host hangs, refuses them or has gone, and those whose provider only takes its time.</summary>
public sealed class SilentModelHostTests
{
    [Fact]
    public void A_host_that_hangs_is_left_within_the_time_to_live_of_hosts() =>
        Assert.True(RelayedAnswer.LongestSilence < new DatabaseOptions().Hosts.TimeToLive, "A turn would stand still for longer than its host may be silent.");

    [Fact]
    public async Task A_host_that_never_pings_is_left_and_the_call_made_again()
    {
        await using var rig = await ShimRig.StartAsync(relays: false);
        rig.Enqueue(rig.Hangs(_ => { }), Relayed(Whole));

        await AnsweredAsync(rig, TimeSpan.FromSeconds(9));
    }

    [Fact]
    public async Task A_host_that_falls_silent_before_its_provider_has_answered_is_left_and_the_call_made_again()
    {
        await using var rig = await ShimRig.StartAsync(relays: false);
        rig.Enqueue(rig.Hangs(RelayedAnswer.WritePing), Relayed(Whole));

        await AnsweredAsync(rig, TimeSpan.FromSeconds(9));
    }

    [Fact]
    public async Task A_host_that_takes_a_call_and_says_nothing_is_left_where_hosts_answer_at_once()
    {
        await using var rig = await ShimRig.StartAsync();
        rig.Enqueue(rig.SaysNothingAsync, Relayed(Whole));

        await AnsweredAsync(rig, TimeSpan.FromSeconds(9));
    }

    [Fact]
    public async Task A_host_of_an_older_release_may_be_silent_for_as_long_as_its_provider_is()
    {
        await using var rig = await ShimRig.StartAsync(relays: false);
        var answers = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        rig.Enqueue(async context =>
        {
            await answers.Task;
            await context.Response.WriteAsync("at last");
        });
        var calling = rig.CallAsync();
        await Eventually.HoldsAsync(() => rig.Calls == 1, "the call");

        rig.Time.Advance(TimeSpan.FromMinutes(4));
        answers.SetResult();

        using var answer = await calling;
        Assert.Equal("at last", await answer.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Where_older_hosts_have_come_back_a_call_gets_longer_with_each_of_them()
    {
        await using var rig = await ShimRig.StartAsync();
        rig.Enqueue(rig.SaysNothingAsync, rig.After(TimeSpan.FromSeconds(12), "whole"));

        await AnsweredAsync(rig, TimeSpan.FromSeconds(21));
    }

    [Fact]
    public async Task A_host_that_falls_silent_within_an_answer_has_it_broken_off()
    {
        await using var rig = await ShimRig.StartAsync(relays: false);
        rig.Enqueue(rig.Hangs(output =>
        {
            RelayedAnswer.WriteHead(output, new(200, new Dictionary<string, string[]>()));
            RelayedAnswer.WriteData(output, "half"u8);
        }));
        using var answer = await rig.CallAsync();
        await using var body = await answer.Content.ReadAsStreamAsync();
        await body.ReadExactlyAsync(new byte[4]);
        var more = body.ReadExactlyAsync(new byte[1]).AsTask();

        await rig.PassAsync(more);

        Assert.IsNotType<EndOfStreamException>(await Assert.ThrowsAnyAsync<IOException>(() => more));
    }

    [Fact]
    public async Task An_answer_that_ends_without_its_end_is_broken_off()
    {
        await using var rig = await ShimRig.StartAsync();
        rig.Enqueue(Relayed(output =>
        {
            RelayedAnswer.WriteHead(output, new(200, new Dictionary<string, string[]>()));
            RelayedAnswer.WriteData(output, "half"u8);
        }));

        using var answer = await rig.CallAsync();

        await Assert.ThrowsAnyAsync<HttpRequestException>(() => answer.Content.ReadAsStringAsync());
    }

    [Theory]
    [InlineData(502)]
    [InlineData(503)]
    [InlineData(504)]
    public async Task Who_takes_no_call_now_is_asked_again(int status)
    {
        await using var rig = await ShimRig.StartAsync();
        rig.Enqueue(Plain(status), Plain(status), Relayed(Whole));

        await AnsweredAsync(rig, TimeSpan.FromSeconds(1), calls: 3);
    }

    [Fact]
    public async Task Where_nobody_takes_a_call_for_a_minute_the_agent_is_told_that_the_control_plane_was_away()
    {
        await using var rig = await ShimRig.StartAsync();
        rig.Otherwise = Plain(503);
        var began = rig.Time.GetTimestamp();
        var calling = rig.CallAsync();

        await rig.PassAsync(calling);

        using var answer = await calling;
        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        Assert.Contains("\"code\":\"host_unavailable\"", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.InRange(rig.Time.GetElapsedTime(began), TimeSpan.FromSeconds(55), TimeSpan.FromSeconds(61));
    }

    [Fact]
    public async Task What_the_provider_refuses_is_handed_on_at_once()
    {
        await using var rig = await ShimRig.StartAsync();
        rig.Enqueue(Relayed(output =>
        {
            RelayedAnswer.WriteHead(output, new(503, new Dictionary<string, string[]> { ["Retry-After"] = ["9"] }));
            RelayedAnswer.WriteData(output, "overloaded"u8);
            RelayedAnswer.WriteEnd(output);
        }));

        using var answer = await rig.CallAsync();

        Assert.Equal((HttpStatusCode.ServiceUnavailable, "overloaded"), (answer.StatusCode, await answer.Content.ReadAsStringAsync()));
        Assert.Equal(TimeSpan.FromSeconds(9), answer.Headers.RetryAfter!.Delta);
        Assert.Equal(1, rig.Calls);
    }

    private static async Task AnsweredAsync(ShimRig rig, TimeSpan within, int calls = 2)
    {
        var began = rig.Time.GetTimestamp();
        var calling = rig.CallAsync();
        await rig.PassAsync(calling);
        using var answer = await calling;
        Assert.Equal("whole", await answer.Content.ReadAsStringAsync());
        Assert.Equal(calls, rig.Calls);
        Assert.True(rig.Time.GetElapsedTime(began) <= within, $"It took {rig.Time.GetElapsedTime(began)}.");
    }
}
