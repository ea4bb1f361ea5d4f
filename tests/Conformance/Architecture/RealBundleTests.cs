using Coordinator.Ports;
using Mono.Cecil;
using Xunit;

namespace Coordinator.Tests.Conformance.Architecture;

/// <summary>
/// The tripwire over the bundles that there really are, with one part taken away at a time: what is whole must become red
/// for exactly that part, whatever else the product and its tests hold.
/// </summary>
public sealed class RealBundleTests
{
    private static readonly Lazy<IReadOnlyList<PortBundle>> Whole = new(() => PortBundle.Find(PortBundleTests.Built));

    public static TheoryData<string> Ports => [.. Whole.Value.Select(bundle => bundle.Port.Name)];

    [Theory]
    [MemberData(nameof(Ports))]
    public void Without_its_real_adapters_it_is_red(string port) => Red(port, Bundle(port).Adapters, $"{port} has no real adapter in src/Adapters");

    [Theory]
    [MemberData(nameof(Ports))]
    public void Without_its_fake_it_is_red(string port) => Red(port, Bundle(port).Fakes, $"{port} has no fake in src/Fakes");

    [Theory]
    [MemberData(nameof(Ports))]
    public void Without_its_contract_it_is_red(string port) => Red(port, [Bundle(port).Contract!], $"{port} has no abstract {Bundle(port).Noun}Contract in tests/Conformance");

    [Theory]
    [MemberData(nameof(Ports))]
    public void Without_a_run_of_its_contract_it_is_red(string port) => Red(port, Bundle(port).Runs, $"{Bundle(port).Noun}Contract is run against nothing");

    [Theory]
    [MemberData(nameof(Ports))]
    public void Without_the_runs_against_any_one_implementation_it_is_red(string port)
    {
        var bundle = Bundle(port);
        Assert.NotEmpty(bundle.Tried);
        foreach (var (implementation, runs) in bundle.Tried)
        {
            // A run that makes two implementations (an adapter in front of another) may be the only one of either.
            var untried = Missing(port, runs);
            Assert.Contains(untried, missing => missing.Contains(implementation.FullName, StringComparison.Ordinal) || missing.Contains("is run against nothing", StringComparison.Ordinal));
        }
    }

    [Theory]
    [MemberData(nameof(Ports))]
    public void Without_its_catalog_it_is_red(string port) => Red(port, [Bundle(port).Catalog!], $"{port} has no {Bundle(port).Noun}Faults : FaultCatalog<{port}> in tests/Faults");

    [Theory]
    [MemberData(nameof(Ports))]
    public void With_its_fake_renamed_away_it_is_red(string port)
    {
        var sources = Read();
        var fake = sources.Fakes.MainModule.GetType(Assert.Single(Bundle(port).Fakes).FullName);
        fake.Name = "Pretend" + fake.Name;
        Assert.Contains(MissingOf(port, sources), missing => missing.StartsWith($"{fake.Name} is not called what fakes are", StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Ports))]
    public void With_another_fake_it_is_red(string port)
    {
        var sources = Read();
        var second = new TypeDefinition("Coordinator.Fakes.More", Assert.Single(Bundle(port).Fakes).Name, TypeAttributes.Public | TypeAttributes.Sealed, sources.Fakes.MainModule.TypeSystem.Object);
        second.Interfaces.Add(new(sources.Fakes.MainModule.ImportReference(Bundle(port).Port)));
        sources.Fakes.MainModule.Types.Add(second);
        Assert.Contains(MissingOf(port, sources), missing => missing.StartsWith($"{port} has more than one fake", StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Ports))]
    public void On_no_plane_it_is_red(string port)
    {
        var ports = House.Read(PortBundleTests.Built.Ports);
        var mark = ports.MainModule.GetType(Bundle(port).Port.FullName).CustomAttributes.Single(attribute => attribute.AttributeType.Name == nameof(PortAttribute));
        mark.ConstructorArguments[0] = new(mark.ConstructorArguments[0].Type, 99);
        Assert.Contains($"{port} names no plane", MissingOf(port, PortBundleTests.Built with { Ports = ports }));
    }

    private static PortBundle Bundle(string port) => Whole.Value.Single(bundle => bundle.Port.Name == port);

    private static BundleSources Read() => PortBundleTests.Built with { Fakes = House.Read(PortBundleTests.Built.Fakes) };

    private static void Red(string port, IEnumerable<TypeDefinition> without, string because) => Assert.Contains(because, Missing(port, without));

    private static IReadOnlyList<string> Missing(string port, IEnumerable<TypeDefinition> without) =>
        MissingOf(port, PortBundleTests.Built with { Removed = without.Select(type => type.FullName).ToHashSet(StringComparer.Ordinal) });

    private static IReadOnlyList<string> MissingOf(string port, BundleSources sources)
    {
        var bundle = PortBundle.Of(PortBundle.PortsOf(sources).Single(type => type.Name == port), sources);
        return [.. bundle.Missing(), .. bundle.MissingCatalog()];
    }
}
