using Coordinator.Tests.Chaos.Checks;
using Coordinator.Tests.Chaos.Strikes;
using Coordinator.Tests.Support.Hosting;
using Xunit;

namespace Coordinator.Tests.Chaos;

/// <summary>What counts as an upgrade that was played.</summary>
public sealed class UpgradeTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("coordinator-older-").FullName;

    public UpgradeTests()
    {
        Write("host", "Coordinator.Host.dll", "a host");
        Write("host", "Coordinator.Ports.dll", "its ports");
        Write("sandbox-host", "Coordinator.SandboxHost.dll", "a sandbox host");
        Write("box", "coordinator-box", "a box");
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData("")]
    [InlineData("--kinds drain,network")]
    [InlineData("--kinds host --hosts 3")]
    public void An_older_release_is_upgraded_from_where_a_host_is_started_again(string more)
    {
        var options = ChaosOptions.Parse(["--upgrade-from", folder, .. more.Split(' ', StringSplitOptions.RemoveEmptyEntries)], TimeProvider.System);

        var box = Path.Combine(folder, "box", "coordinator-box");
        Assert.Equal(new OlderRelease(new(Path.Combine(folder, "host", "Coordinator.Host.dll"), box), new(Path.Combine(folder, "sandbox-host", "Coordinator.SandboxHost.dll"), box)), options.UpgradeFrom);
        Assert.Null(ChaosOptions.Parse([], TimeProvider.System).UpgradeFrom);
    }

    [Fact]
    public void No_upgrade_is_asked_for_in_which_no_host_is_started_again() =>
        Assert.Throws<FormatException>(() => ChaosOptions.Parse(["--upgrade-from", folder, "--kinds", "postgres,network,bridge"], TimeProvider.System));

    [Fact]
    public void Each_program_that_an_older_release_lacks_is_named()
    {
        File.Delete(Path.Combine(folder, "box", "coordinator-box"));
        File.Delete(Path.Combine(folder, "host", "Coordinator.Host.dll"));

        var refused = Assert.Throws<FileNotFoundException>(() => ChaosOptions.Parse(["--upgrade-from", folder], TimeProvider.System));

        Assert.Contains(Path.Combine(folder, "box", "coordinator-box"), refused.Message, StringComparison.Ordinal);
        Assert.Contains(Path.Combine(folder, "host", "Coordinator.Host.dll"), refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("SandboxHost", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_present_release_is_not_upgraded_from()
    {
        var older = OlderRelease.In(folder);
        var present = Write("present", "Coordinator.Host.dll", "a host");
        Write("present", "Coordinator.Ports.dll", "its ports, and one more");
        older.DemandOtherThan(present);

        Write("present", "Coordinator.Ports.dll", "its ports");

        Assert.Throws<FormatException>(() => older.DemandOtherThan(present));
    }

    [Fact]
    public void What_began_as_an_older_release_is_of_the_present_one_from_its_second_start_on_and_never_of_the_older_again()
    {
        var (older, present) = (new Release("older", "older box"), new Release("present", "present box"));
        var rolling = new RollingRelease(present, older);
        Assert.False(rolling.IsUpgraded);

        Assert.Equal(older, rolling.Start());
        Assert.False(rolling.IsUpgraded);
        Assert.All(Enumerable.Range(0, 3), _ => Assert.Equal(present, rolling.Start()));

        Assert.True(rolling.IsUpgraded);
    }

    [Fact]
    public void What_began_as_the_present_release_is_never_upgraded()
    {
        var rolling = new RollingRelease(new("present", "present box"), null);

        Assert.All(Enumerable.Range(0, 3), _ => Assert.Equal("present", rolling.Start().Program));

        Assert.False(rolling.IsUpgraded);
    }

    [Fact]
    public void A_run_whose_worlds_began_as_an_older_release_and_in_which_no_host_was_upgraded_is_found()
    {
        var report = new ChaosReport();
        report.Add(new Strike(StrikeKind.Network, TimeSpan.FromSeconds(1)));
        report.Add(new Upgraded(0, 3, 1, 1));
        report.Add(new Upgraded(0, 3, 0, 1));

        report.Close();

        Assert.Equal(new Finding(FindingKind.Broken, "all", "no host was started as the present release: 0 of 6 hosts and 1 of 2 sandbox hosts in 2 worlds, 0 of them to the last host"), Assert.Single(report.Findings));
    }

    [Fact]
    public void How_many_were_upgraded_is_told_and_found_by_nobody()
    {
        var report = new ChaosReport();
        report.Add(new Upgraded(0, 1, 0, 0));
        report.Add(new Upgraded(1, 1, 0, 0));

        report.Close();

        Assert.Empty(report.Findings);
        Assert.Contains("Upgraded: 1 of 2 hosts in 2 worlds, 1 of them to the last host.", report.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_run_of_the_present_release_has_nothing_to_upgrade()
    {
        var report = new ChaosReport();

        report.Close();

        Assert.Empty(report.Findings);
        Assert.DoesNotContain("Upgraded", report.ToString(), StringComparison.Ordinal);
    }

    private string Write(string under, string name, string content)
    {
        var path = Path.Combine(Directory.CreateDirectory(Path.Combine(folder, under)).FullName, name);
        File.WriteAllText(path, content);
        return path;
    }
}
