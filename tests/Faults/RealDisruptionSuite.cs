using System.Reflection;
using Coordinator.Ports;
using Coordinator.Tests.Faults.Real;
using Coordinator.Tests.WalkingSkeleton.World;
using Xunit;
using Xunit.Abstractions;

namespace Coordinator.Tests.Faults;

/// <summary>
/// Plays what the catalogs say of the real adapters: the same walk of a session, in real time, over PostgreSQL, git, the
/// data plane, a model provider and a receiver, each behind a proxy that does what networks do. What holds after every
/// fault holds here too, and besides: no transaction and no connection is left behind, and no secret is in the log.
/// Such a world waits more than it works, so each plane's are played beside the others', with peers of its own.
/// </summary>
public abstract class RealDisruptionSuite(RealPeers peers, ITestOutputHelper output) : IClassFixture<RealPeers>
{
    public static TheoryData<string, string, string> Everything(Plane plane)
    {
        var all = new TheoryData<string, string, string>();
        foreach (var catalog in FaultCatalogs.All.Where(catalog => catalog.Port.GetCustomAttribute<PortAttribute>()!.Plane == plane))
        {
            foreach (var play in catalog.OnReal) all.Add(catalog.Port.Name, play.Of, play.How);
        }

        return all;
    }

    private static readonly string[] WentWell = ["ok", "completed", "cancelled", "archived"];

    protected async Task PlayAsync(string port, string name, string how)
    {
        var play = FaultCatalogs.Of(port).OnReal.Single(play => play.Of == name && play.How == how);
        var outside = new RealOutside(peers, output, play);
        await using (var world = await Skeleton.StartAsync(outside: outside))
        {
            var fault = play.In(outside, FaultCatalogs.Find(port, name));
            await Disruption.PlayAsync(world, fault);

            if (play.IsOfNetwork && WentWell.Contains(fault.Sees)) Assert.True(outside.Shown > 0, "The fault was never done to anybody.");
            await world.UntilAsync("no transaction is left open", () => outside.CountConnections("state LIKE 'idle in transaction%'") == 0);
            await Disruption.LeavesNothingAsync(world);
            await world.UntilAsync("no connection is left open", () => outside.CountConnections("true") == 0);
        }

        Assert.True(outside.KeepsSecrets, "A secret stands in the log.");
    }
}

/// <summary>The faults of the real adapters of the identity plane.</summary>
public sealed class IdentityDisruptionSuite(RealPeers peers, ITestOutputHelper output) : RealDisruptionSuite(peers, output)
{
    [Theory]
    [MemberData(nameof(Everything), Plane.Identity)]
    public Task Every_fault_of_the_real_adapter_fails_closed(string port, string name, string how) => PlayAsync(port, name, how);
}

/// <summary>The faults of the real adapters of the session plane.</summary>
public sealed class SessionDisruptionSuite(RealPeers peers, ITestOutputHelper output) : RealDisruptionSuite(peers, output)
{
    [Theory]
    [MemberData(nameof(Everything), Plane.Session)]
    public Task Every_fault_of_the_real_adapter_fails_closed(string port, string name, string how) => PlayAsync(port, name, how);
}

/// <summary>The faults of the real adapters of the compute plane.</summary>
public sealed class ComputeDisruptionSuite(RealPeers peers, ITestOutputHelper output) : RealDisruptionSuite(peers, output)
{
    [Theory]
    [MemberData(nameof(Everything), Plane.Compute)]
    public Task Every_fault_of_the_real_adapter_fails_closed(string port, string name, string how) => PlayAsync(port, name, how);
}

/// <summary>The faults of the real adapters of the model plane.</summary>
public sealed class ModelDisruptionSuite(RealPeers peers, ITestOutputHelper output) : RealDisruptionSuite(peers, output)
{
    [Theory]
    [MemberData(nameof(Everything), Plane.Model)]
    public Task Every_fault_of_the_real_adapter_fails_closed(string port, string name, string how) => PlayAsync(port, name, how);
}

/// <summary>The faults of the real adapters of the record plane.</summary>
public sealed class RecordDisruptionSuite(RealPeers peers, ITestOutputHelper output) : RealDisruptionSuite(peers, output)
{
    [Theory]
    [MemberData(nameof(Everything), Plane.Record)]
    public Task Every_fault_of_the_real_adapter_fails_closed(string port, string name, string how) => PlayAsync(port, name, how);
}
