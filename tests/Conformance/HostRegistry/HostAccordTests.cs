using Coordinator.Ports;
using Coordinator.Ports.Session;
using Xunit;

namespace Coordinator.Tests.Conformance.HostRegistry;

/// <summary>Which hosts go on and which do not, when they would not believe each other. A host is its minutes ahead of the store and its key; they stand in the order of their ages.</summary>
public sealed class HostAccordTests
{
    [Theory]
    [InlineData("0a", "1")]
    [InlineData("60a", "1")] // nobody else is there who could be right
    [InlineData("0a 0a", "11")]
    [InlineData("2a -2a", "11")]
    [InlineData("0a 6a", "10")]
    [InlineData("6a 0a", "01")] // the older is wrong by the store's clock
    [InlineData("-6a 0a", "01")]
    [InlineData("10a 10a", "11")] // it is the store's clock that is wrong
    [InlineData("10a 10a 0a", "110")]
    [InlineData("4a -3a", "10")] // neither is right: one goes on
    [InlineData("20a -20a", "10")]
    [InlineData("0a 0a 6a", "110")]
    [InlineData("4a 4a -2a", "110")] // more believe each other, though further off
    [InlineData("4a 0a -4a", "111")] // all believe the one between
    [InlineData("0a 0b", "10")]
    [InlineData("0b 0a 0a", "011")]
    [InlineData("0a 0a 0b", "110")]
    [InlineData("0a 0a 0b 0b", "1100")]
    [InlineData("6a 0b", "01")]
    [InlineData("0? ?a 0a", "111")] // hosts of before
    public void Of_hosts_that_do_not_believe_each_other_the_same_go_on_whoever_judges(string hosts, string expected)
    {
        HostStanding[] all = [.. hosts.Split(' ').Select((host, age) => new HostStanding(HostId.New(TimeProvider.System), age, Ahead(host[..^1]), host[^1] == '?' ? null : host[^1..]))];

        var goOn = string.Concat(all.Select(self => HostAccord.Judge(self, all.Where(other => other != self).Reverse()) is null ? '1' : '0'));

        Assert.Equal(expected, goOn);
    }

    [Fact]
    public void It_is_said_what_to_look_at()
    {
        var (right, ahead, stranger) = (Standing(0, "a"), Standing(-7.6, "a"), Standing(0, "b"));

        var clock = HostAccord.Judge(ahead, [right])!;
        var key = HostAccord.Judge(stranger with { Age = 5 }, [right])!;

        Assert.Equal((HostDiscordKind.Clock, HostDiscordKind.Key), (clock.Kind, key.Kind));
        Assert.Contains("8 minutes behind the database's", clock.ToException().Message, StringComparison.Ordinal);
        Assert.Contains("Vault:KeyFile", key.ToException().Message, StringComparison.Ordinal);
    }

    private static HostStanding Standing(double minutes, string key) => new(HostId.New(TimeProvider.System), 0, TimeSpan.FromMinutes(minutes), key);

    private static TimeSpan? Ahead(string minutes) => minutes == "?" ? null : TimeSpan.FromMinutes(int.Parse(minutes, System.Globalization.CultureInfo.InvariantCulture));
}
