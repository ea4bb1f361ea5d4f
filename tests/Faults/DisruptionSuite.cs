using System.Reflection;
using Coordinator.Ports;
using Coordinator.Tests.WalkingSkeleton.World;
using Microsoft.Extensions.Logging;
using Xunit;
using Xunit.Sdk;

namespace Coordinator.Tests.Faults;

/// <summary>
/// Plays every fault of every catalog through the walking skeleton. The user sees what the catalog says, and afterwards:
/// the session works, no message is lost, doubled or without an end, every run is in the history once, and no box is left.
/// </summary>
[Collection(AtRestTests.Name)]
public sealed class DisruptionSuite
{
    public static TheoryData<string, string> Everything
    {
        get
        {
            var all = new TheoryData<string, string>();
            foreach (var catalog in FaultCatalogs.All)
            {
                foreach (var fault in catalog.Faults) all.Add(catalog.Port.Name, fault.Name);
            }

            return all;
        }
    }

    [Theory]
    [MemberData(nameof(Everything))]
    public async Task Every_fault_fails_closed(string port, string name)
    {
        var fault = FaultCatalogs.Find(port, name);
        await using var world = await Skeleton.StartAsync(fault.OnFakeHost);

        await Disruption.PlayAsync(world, fault);
        await Disruption.LeavesNothingAsync(world);
    }

    [Fact]
    public async Task A_play_is_red_when_another_thing_is_seen_when_something_does_not_hold_and_when_a_secret_is_told()
    {
        var well = new Fault("Nothing", FaultMoment.FirstPrompt) { Show = Fault.By(_ => { }), Sees = "completed" };
        Fault[] broken =
        [
            well with { Sees = "failed model_error" },
            well with { Holds = _ => new(Task.FromException(new XunitException("It does not hold."))) },
            well with { Show = Fault.By(world => world.Log.Log(LogLevel.Information, default, "canary", null, (text, _) => text)) },
            well with { Prompt = "@say canary" },
        ];

        Assert.Null(await Record.ExceptionAsync(() => PlayAsync(well)));
        foreach (var fault in broken) Assert.IsAssignableFrom<XunitException>(await Record.ExceptionAsync(() => PlayAsync(fault)));
    }

    /// <summary>What holds after every fault is of the session: a fault beside it says itself what has to hold.</summary>
    [Theory]
    [MemberData(nameof(Ports))]
    public void Every_play_says_what_is_seen_and_what_must_hold(string port)
    {
        var catalog = FaultCatalogs.Of(port);
        Assert.All(catalog.Faults, fault =>
        {
            Assert.NotEmpty(fault.Sees);
            Assert.Equal(fault.When == FaultMoment.Beside, fault.Beside is not null);
            Assert.True(fault.Beside is null || fault.Holds is not null, $"'{fault}' does not say what must hold afterwards.");
        });
        Assert.All(catalog.OnReal, play =>
        {
            var fault = catalog.Faults.Single(fault => fault.Name == play.Of);
            Assert.True(fault.Beside is null || play.Beside is not null, $"'{play}' is played on the fake.");
            Assert.True(play.Beside is null || play.Holds is not null, $"'{play}' does not say what must hold afterwards.");
        });
    }

    private static async Task PlayAsync(Fault fault)
    {
        await using var world = await Skeleton.StartAsync();
        await Disruption.PlayAsync(world, fault);
        await Disruption.LeavesNothingAsync(world);
    }

    [Fact]
    public void Every_port_has_one_catalog_and_it_knows_an_outage_and_a_lost_answer()
    {
        var ports = typeof(PortAttribute).Assembly.GetTypes().Where(type => type.GetCustomAttribute<PortAttribute>() is not null).ToList();

        Assert.Equal(ports.Select(port => port.Name).Order(), FaultCatalogs.All.Select(catalog => catalog.Port.Name).Order());
        Assert.All(FaultCatalogs.All, catalog => Assert.True(catalog.Faults.Count >= 2, catalog.Port.Name));
        Assert.All(FaultCatalogs.All, catalog => Assert.Equal(catalog.Faults.Count, catalog.Faults.Select(fault => fault.Name).Distinct().Count()));
    }

    public static TheoryData<string> Ports
    {
        get
        {
            var all = new TheoryData<string>();
            foreach (var catalog in FaultCatalogs.All) all.Add(catalog.Port.Name);
            return all;
        }
    }

    [Theory]
    [MemberData(nameof(Ports))]
    public void A_catalog_plays_every_general_fault_or_says_why_it_cannot_happen(string port)
    {
        var catalog = FaultCatalogs.All.Single(catalog => catalog.Port.Name == port);
        var played = catalog.Faults.Select(fault => fault.Is).OfType<GeneralFault>().ToHashSet();

        Assert.Empty(Enum.GetValues<GeneralFault>().Except(played).Except(catalog.CannotHappen.Keys));
        Assert.Empty(played.Intersect(catalog.CannotHappen.Keys));
        Assert.All(catalog.CannotHappen.Values, reason => Assert.True(reason.Split(' ').Length >= 5, $"'{reason}' is no reason."));
    }

    /// <summary>What the field has met with each port: by words of the fault's name, so that none is renamed away.</summary>
    [Theory]
    [InlineData("ISessionJournal", "second writer", "answer of a commit is lost", "snapshot is torn")]
    [InlineData("IAlarmClock", "alarms are late", "out twice", "clock goes back")]
    [InlineData("ISandboxProvider", "made the box and its answer was lost", "never dials back", "dies in the middle of a tool call", "listing lags", "refuses to delete")]
    [InlineData("IAgentRuntime", "crashes", "hangs", "makes no sense", "out of order", "without an end", "floods", "does not hear the answer")]
    [InlineData("IModelGateway", "refuses the key", "too often", "overloaded", "cut off in the middle", "context is longer")]
    [InlineData("ISourceControl", "token expires in the middle of a push", "no fast-forward", "asked too often", "credential has expired")]
    [InlineData("ITenantVault", "wrong organization", "key it was sealed with is not known", "bit of a secret is flipped", "master key is missing")]
    [InlineData("IRunHistory", "down when a run is to be written", "flushed twice")]
    [InlineData("IEventFeed", "purged beyond the client", "from the future")]
    [InlineData("INotifier", "receiver is gone", "redirects to a private address", "drips its answer")]
    public void What_the_field_has_met_is_in_the_catalog(string port, params string[] known)
    {
        var names = FaultCatalogs.All.Single(catalog => catalog.Port.Name == port).Faults.Select(fault => fault.Name).ToList();

        Assert.All(known, words => Assert.Contains(names, name => name.Contains(words, StringComparison.Ordinal)));
    }

    [Fact]
    public void A_catalog_plays_on_the_real_adapter_or_says_why_not()
    {
        Assert.All(FaultCatalogs.All, catalog =>
        {
            Assert.True(catalog.OnReal.Count > 0 != catalog.WhyNotOnReal is not null, $"{catalog.Port.Name}: {catalog.WhyNotOnReal}");
            Assert.Subset(catalog.Faults.Select(fault => fault.Name).ToHashSet(), catalog.OnReal.Select(play => play.Of).ToHashSet());
            Assert.Distinct(catalog.OnReal.Select(play => play.ToString()));
        });
    }

    [Theory]
    [MemberData(nameof(Ports))]
    public void A_general_fault_is_played_on_the_real_adapter_or_it_is_said_why_not(string port)
    {
        var catalog = FaultCatalogs.Of(port);
        if (catalog.OnReal.Count == 0) return;
        var possible = catalog.Faults.Where(fault => fault.Is is not null).ToLookup(fault => fault.Is!.Value, fault => fault.Name);
        var played = possible.Where(faults => faults.Any(name => catalog.OnReal.Any(play => play.Of == name))).Select(faults => faults.Key).ToHashSet();

        Assert.Empty(possible.Select(faults => faults.Key).Except(played).Except(catalog.NotOnReal.Keys));
        Assert.Empty(played.Intersect(catalog.NotOnReal.Keys));
        Assert.All(catalog.NotOnReal.Values, reason => Assert.True(reason.Split(' ').Length >= 5, $"'{reason}' is no reason."));
    }
}
