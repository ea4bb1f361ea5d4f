using Coordinator.Host.Logging;
using Coordinator.Ports;
using Coordinator.Tests.Support;
using Coordinator.Tests.Support.Http;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Coordinator.Tests.Modules.Host;

/// <summary>What an operator reads of something that is away for a while.</summary>
public sealed class OutageLoggingTests : IDisposable
{
    private readonly ManualTime time = new();
    private readonly CapturedLog log = new();
    private readonly OutageLogging logging;
    private readonly ILogger logger;

    public OutageLoggingTests()
    {
        var inner = new LoggerFactory([log], new LoggerFilterOptions { MinLevel = LogLevel.Information });
        logging = new(inner, time);
        logger = logging.CreateLogger("Somewhere");
    }

    private string[] Lines => log.Text.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    public void Dispose()
    {
        logging.Dispose();
        log.Dispose();
    }

    [Fact]
    public void An_outage_is_told_when_it_begins_once_a_minute_while_it_lasts_and_when_it_is_over()
    {
        for (var second = 0; second < 150; second++)
        {
            Fail(1002, PortFailureKind.Unavailable);
            time.Advance(TimeSpan.FromSeconds(1));
        }

        time.Advance(Outages.Interval * 3);

        Assert.Equal(
            [
                "Warning It failed. The database is away.",
                "Warning It failed. The database is away. (… and 58 more like it, last at 03:05:04 UTC)",
                "Warning It failed. The database is away. (… and 59 more like it, last at 03:06:04 UTC)",
                "Warning It failed. The database is away. (… and 29 more like it, last at 03:06:34 UTC)",
                "Information Not for a minute any more, after 150 times in 149 s: It failed. The database is away.",
            ],
            Lines.Select(line => line.TrimEnd()));
        Assert.Equal(0, time.PendingTimers);
    }

    [Fact]
    public void One_failure_alone_is_told_once_and_the_next_one_when_it_comes()
    {
        Fail(1002, PortFailureKind.Unavailable);
        time.Advance(Outages.Interval * 2);
        Assert.Single(Lines);

        Fail(1002, PortFailureKind.Unavailable);
        Assert.Equal(2, Lines.Length);
    }

    [Fact]
    public void One_more_that_is_told_late_says_when_it_was()
    {
        Fail(1002, PortFailureKind.Unavailable);
        time.Advance(TimeSpan.FromSeconds(2));
        Fail(1002, PortFailureKind.Unavailable);
        time.Advance(Outages.Interval);

        Assert.Equal("Warning It failed. The database is away. (last at 03:04:07 UTC)", Lines[^1].TrimEnd());
    }

    [Fact]
    public void Each_event_and_each_kind_of_failure_is_told()
    {
        Fail(1002, PortFailureKind.Unavailable);
        Fail(1002, PortFailureKind.Timeout);
        Fail(1003, PortFailureKind.Unavailable);

        Assert.Equal(3, Lines.Length);
    }

    [Fact]
    public void Each_of_those_that_lines_of_one_event_name_is_told()
    {
        string[] boxes = ["one", "two", "three"];
        for (var minute = 0; minute < 2; minute++)
        {
            foreach (var box in boxes) Fail(5312, $"Box {box} could not be swept.");
            time.Advance(Outages.Interval / 2);
            foreach (var box in boxes) Fail(5312, $"Box {box} could not be swept.");
            time.Advance(Outages.Interval / 2);
        }

        time.Advance(Outages.Interval * 3);

        Assert.All(boxes, box => Assert.Equal(4, Lines.Count(line => line.Contains($"Box {box} could", StringComparison.Ordinal)))); // its beginning, two minutes, its end
        Assert.Equal(12, Lines.Length);
        Assert.Equal(0, time.PendingTimers);
    }

    [Fact]
    public void Of_thousands_that_one_outage_names_some_are_told_and_how_many_more_there_were()
    {
        for (var session = 0; session < 3000; session++) Fail(1002, $"POST /v1/sessions/{session}.");

        Assert.Equal(Outages.MostTexts + 1, Lines.Length);
        Assert.Equal(Outages.MostTexts + 1, time.PendingTimers);

        time.Advance(Outages.Interval);
        Assert.Equal(Outages.MostTexts + 2, Lines.Length);
        Assert.Equal($"Warning POST /v1/sessions/2999. The database is away. (… and {3000 - Outages.MostTexts - 2} more of this event and kind, some of which name others, last at 03:04:05 UTC)", Lines[^1].TrimEnd());

        time.Advance(Outages.Interval * 3);
        Assert.Equal(Outages.MostTexts + 3, Lines.Length);
        Assert.Equal(0, time.PendingTimers);
    }

    [Fact]
    public void Sessions_that_fail_anew_each_minute_of_a_long_outage_do_not_fill_the_log()
    {
        for (var second = 0; second < 600; second++)
        {
            for (var call = 0; call < 25; call++) Fail(1002, $"POST /v1/sessions/{((second * 25) + call) % 4000}.");
            time.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.InRange(Lines.Length, 1, 10 * 2 * (Outages.MostTexts + 1));
        Assert.InRange(time.PendingTimers, 1, Outages.MostTexts + 1);
    }

    [Fact]
    public void What_could_not_be_told_for_others_is_told_once_those_are_over()
    {
        for (var session = 0; session < Outages.MostTexts; session++) Fail(1002, $"Session {session}.");
        time.Advance(Outages.Interval * 2);

        Fail(1002, "Session new.");

        Assert.Equal("Warning Session new. The database is away.", Lines[^1].TrimEnd());
        Assert.Equal(1, time.PendingTimers);
    }

    [Fact]
    public void What_is_lost_for_good_is_told_each_time_without_the_stack()
    {
        for (var i = 0; i < 3; i++) logger.Log(LogLevel.Error, new(5001, LogEventNames.Lost + "Usage"), "1500 tokens.", Failure(PortFailureKind.Unavailable), static (said, _) => said);

        Assert.Equal(Enumerable.Repeat("Error 1500 tokens. The database is away.", 3), Lines.Select(line => line.TrimEnd()));
        Assert.Equal(0, time.PendingTimers);
    }

    [Theory]
    [InlineData(PortFailureKind.Corrupt)]
    [InlineData(PortFailureKind.Rejected)]
    public void What_may_be_wrong_with_the_program_or_its_data_is_told_each_time_and_whole(PortFailureKind kind)
    {
        Fail(1002, kind);
        Fail(1002, kind);

        Assert.Equal(2, log.Text.Split("Coordinator.Ports.PortException").Length - 1);
        Assert.Contains("System.InvalidOperationException: inner", log.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void What_the_program_asked_for_in_error_is_no_outage_of_who_refuses_it_and_told_each_time_and_whole()
    {
        for (var i = 0; i < 2; i++) Log(logger, LogLevel.Warning, 1002, new PortException(PortFailureKind.Unavailable, "42P01 there is no such table") { IsDefect = true });

        Assert.Equal(2, log.Text.Split("Coordinator.Ports.PortException").Length - 1);
    }

    [Fact]
    public void What_is_no_failure_of_a_port_is_told_each_time_and_whole()
    {
        for (var i = 0; i < 2; i++) Log(logger, LogLevel.Error, 1001, new InvalidOperationException("a bug"));

        Assert.Equal(2, log.Text.Split("System.InvalidOperationException: a bug").Length - 1);
    }

    [Fact]
    public void Who_wants_to_know_all_is_told_all()
    {
        using var all = new CapturedLog();
        using var whole = new OutageLogging(new LoggerFactory([all], new LoggerFilterOptions { MinLevel = LogLevel.Debug }), time);

        for (var i = 0; i < 3; i++) Log(whole.CreateLogger("Somewhere"), LogLevel.Warning, 1002, Failure(PortFailureKind.Unavailable));

        Assert.Equal(3, all.Text.Split("Debug It failed. Coordinator.Ports.PortException").Length - 1);
    }

    [Fact]
    public void A_host_that_stops_in_the_middle_of_it_tells_what_it_has_left_out()
    {
        for (var i = 0; i < 3; i++) Fail(1002, PortFailureKind.Unavailable);

        logging.Dispose();

        Assert.EndsWith("(… and 1 more like it, last at 03:04:05 UTC)", log.Text.TrimEnd(), StringComparison.Ordinal);
        Assert.Equal(0, time.PendingTimers);
    }

    private static PortException Failure(PortFailureKind kind) => new(kind, "The database is away.", inner: new InvalidOperationException("inner"));

    private void Fail(int id, PortFailureKind kind) => Log(logger, LogLevel.Warning, id, Failure(kind));

    private void Fail(int id, string text) => logger.Log(LogLevel.Warning, id, text, Failure(PortFailureKind.Unavailable), static (said, _) => said);

    private static void Log(ILogger logger, LogLevel level, int id, Exception failure) => logger.Log(level, id, "It failed.", failure, static (said, _) => said);
}
