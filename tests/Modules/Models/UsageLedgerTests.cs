using Coordinator.Fakes;
using Coordinator.Host.Logging;
using Coordinator.Modules.Models.Gateway;
using Coordinator.Modules.Models.Metering;
using Coordinator.Ports;
using Coordinator.Tests.Support;
using Coordinator.Tests.Support.Http;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Coordinator.Tests.Modules.Models;

/// <summary>That what a call used is in its session once, whatever becomes of the attempts to tell it.</summary>
public sealed class UsageLedgerTests : IAsyncLifetime
{
    private static readonly TokenCounts Counts = new(1000, 500, 0, 0, 0);
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(20);

    private readonly ManualTime time = new();
    private readonly CapturedLog log = new();
    private readonly CancellationTokenSource givenUp = new();
    private readonly InMemoryModelCatalog catalog = new(InMemoryModelCatalog.Priced("acme/fast"));
    private readonly OutageLogging logging;
    private UnsureSession session = null!;
    private CallUsage usage = null!;

    public UsageLedgerTests() => logging = new(new LoggerFactory([log], new LoggerFilterOptions { MinLevel = LogLevel.Information }), new ManualTime()); // a clock of its own: no timer of the ledger's

    public async Task InitializeAsync()
    {
        session = await UnsureSession.CreateAsync(time);
        var ledger = new UsageLedger(session, catalog, time, logging.CreateLogger<UsageLedger>());
        usage = ledger.Open(session.Box, "acme/fast", givenUp.Token);
    }

    public Task DisposeAsync()
    {
        logging.Dispose();
        session.Dispose();
        givenUp.Dispose();
        return Task.CompletedTask;
    }

    [Theory]
    [InlineData(Fate.Refused)]
    [InlineData(Fate.LostBefore)]
    [InlineData(Fate.LostAfter)]
    internal async Task What_a_call_used_is_recorded_once_whatever_became_of_the_first_attempts(Fate fate)
    {
        session.Then(fate, fate, fate);

        Assert.True(await RecordedAsync());

        Assert.Equal((4, 1000L), (session.Attempts, await session.RecordedAsync()));
    }

    [Theory]
    [InlineData(Fate.Hung)]
    [InlineData(Fate.HungAndLost)]
    internal async Task An_answer_is_held_up_for_a_host_that_hangs_no_longer_than_ten_seconds_and_what_it_used_is_recorded_all_the_same(Fate fate)
    {
        session.Then(fate);
        var recording = usage.RecordAsync(Counts);
        time.Advance(TimeSpan.FromSeconds(10) - TimeSpan.FromTicks(1));
        Assert.False(recording.IsCompleted);
        time.Advance(TimeSpan.FromTicks(1));
        Assert.False(await recording.WaitAsync(Bound), "The answer was given its end.");
        Assert.False(usage.SettledAsync().IsCompleted);

        time.Advance(TimeSpan.FromSeconds(30));
        session.Hear();
        await SettledAsync();

        Assert.Equal(1000, await session.RecordedAsync());
        Assert.Contains("Warning", log.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("Error", log.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_session_that_cannot_be_reached_for_a_minute_is_given_up_with_the_reason()
    {
        session.Rest = Fate.LostBefore;
        var began = time.GetUtcNow();

        Assert.False(await RecordedAsync());
        await SettledAsync();

        Assert.Equal(TimeSpan.FromMinutes(1), time.GetUtcNow() - began);
        Assert.Contains("could not be recorded in time", log.Text, StringComparison.Ordinal);
        Assert.Contains("The answer was lost.", log.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Each_usage_that_is_lost_in_an_outage_is_told_by_itself()
    {
        session.Rest = Fate.LostBefore;

        for (var i = 0; i < 3; i++)
        {
            Assert.False(await RecordedAsync());
            await SettledAsync();
        }

        Assert.Equal(3, log.Text.Split("1000 + 500 tokens of acme/fast could not be recorded in time. The answer was lost.").Length - 1);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(15)]
    public async Task A_host_that_waits_no_longer_with_its_stop_is_kept_for_ten_seconds_more(int givenUpAfter)
    {
        session.Rest = Fate.Hung;
        if (givenUpAfter == 0) await givenUp.CancelAsync();
        var recording = usage.RecordAsync(Counts);
        time.Advance(TimeSpan.FromSeconds(givenUpAfter));
        await givenUp.CancelAsync();

        time.Advance(TimeSpan.FromSeconds(10));

        Assert.False(await recording.WaitAsync(Bound));
        await usage.SettledAsync().WaitAsync(Bound);
        Assert.Contains("could not be recorded in time", log.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_refused_for_what_it_is_is_not_tried_again()
    {
        session.Rest = Fate.Rejected;

        Assert.False(await usage.RecordAsync(Counts).WaitAsync(Bound));

        Assert.Equal(1, session.Attempts);
        Assert.Contains("could not be recorded: Rejected", log.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Prices_that_cannot_be_had_for_a_moment_are_waited_for()
    {
        catalog.Faults.FailBefore(PortFailureKind.Unavailable, 2);

        Assert.True(await RecordedAsync());

        Assert.Equal(1000, await session.RecordedAsync());
    }

    /// <summary>Moves the clock on, each time once so many timers are set, until something has come.</summary>
    private async Task PassAsync(Task coming, int timers)
    {
        while (!coming.IsCompleted)
            if (await Task.WhenAny(coming, time.WaitForTimersAsync(timers)) != coming) time.Advance(time.NextIn!.Value);
        await coming;
    }

    /// <summary>The answer's patience, the recording's, and a pause.</summary>
    private async Task<bool> RecordedAsync()
    {
        var recording = usage.RecordAsync(Counts);
        await PassAsync(recording, 3);
        return await recording;
    }

    /// <summary>The recording's patience, and a pause.</summary>
    private Task SettledAsync() => PassAsync(usage.SettledAsync(), 2);
}
