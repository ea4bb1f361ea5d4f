using Coordinator.Ports;
using Coordinator.Tests.Support.Architecture;
using Mono.Cecil;
using Xunit;

namespace Coordinator.Tests.Conformance.Architecture;

/// <summary>The tripwire: a port without its whole bundle is a red build. And the tripwire's own test: without any one part it must be red.</summary>
public sealed class PortBundleTests
{
    internal static BundleSources Built => new(House.Built.Ports, [.. House.Built.Adapters], House.Built.Fakes, House.Tests("Conformance"), House.Tests("Faults"));

    [Fact]
    public void Every_port_has_a_real_adapter_exactly_one_fake_and_a_contract_that_runs_against_all_of_them()
    {
        var bundles = PortBundle.Find(Built);

        Assert.NotEmpty(bundles);
        Assert.Empty(bundles.SelectMany(bundle => bundle.Missing()));
    }

    [Fact]
    public void Every_port_has_a_fault_catalog() => Assert.Empty(PortBundle.Find(Built).SelectMany(bundle => bundle.MissingCatalog()));

    [Fact]
    public void A_whole_bundle_is_accepted() => Assert.Empty(MissingFrom(new Sample()));

    [Fact]
    public void Without_its_adapter_it_is_not() => Assert.Contains("no real adapter", Assert.Single(MissingFrom(new Sample { Adapters = 0 })), StringComparison.Ordinal);

    [Fact]
    public void An_adapter_that_only_wraps_another_does_not_count() => Assert.Contains(MissingFrom(new Sample { AdapterWraps = true }), missing => missing.Contains("no real adapter", StringComparison.Ordinal));

    [Fact]
    public void Without_its_fake_it_is_not() => Assert.Contains("no fake", Assert.Single(MissingFrom(new Sample { Fakes = 0 })), StringComparison.Ordinal);

    [Fact]
    public void With_two_fakes_it_is_not() => Assert.Contains("more than one fake", Assert.Single(MissingFrom(new Sample { Fakes = 2 })), StringComparison.Ordinal);

    [Fact]
    public void With_a_fake_that_was_renamed_away_it_is_not() => Assert.Contains("is not called what fakes are", Assert.Single(MissingFrom(new Sample { FakeName = "PretendThing" })), StringComparison.Ordinal);

    [Fact]
    public void On_no_plane_it_is_not() => Assert.Contains("names no plane", Assert.Single(MissingFrom(new Sample { Plane = (Plane)99 })), StringComparison.Ordinal);

    [Fact]
    public void With_two_adapters_of_one_technology_and_one_of_them_untried_it_is_not() => Assert.Contains("is run against 2", Assert.Single(MissingFrom(new Sample { Adapters = 2 })), StringComparison.Ordinal);

    [Fact]
    public void Without_its_contract_it_is_not() => Assert.Contains("no abstract ThingContract", Assert.Single(MissingFrom(new Sample { HasContract = false })), StringComparison.Ordinal);

    [Fact]
    public void With_a_contract_that_nobody_runs_it_is_not() => Assert.Contains(MissingFrom(new Sample { HasRuns = false }), missing => missing.Contains("run against nothing", StringComparison.Ordinal));

    [Fact]
    public void With_a_contract_that_leaves_the_adapter_out_it_is_not() => Assert.Contains("Coordinator.Adapters.Sample", Assert.Single(MissingFrom(new Sample { TriesAdapter = false })), StringComparison.Ordinal);

    [Fact]
    public void Without_its_catalog_it_is_not() => Assert.Contains("no ThingFaults", Assert.Single(MissingFrom(new Sample { HasCatalog = false })), StringComparison.Ordinal);

    private static IReadOnlyList<string> MissingFrom(Sample sample)
    {
        var bundle = Assert.Single(PortBundle.Find(sample.Sources()));
        return [.. bundle.Missing(), .. bundle.MissingCatalog()];
    }

    /// <summary>A port <c>IThing</c> with its bundle, of which any part can be left out.</summary>
    private sealed record Sample
    {
        private const string Contract = "Coordinator.Tests.Conformance.Thing.ThingContract";

        public int Adapters { get; init; } = 1;

        public bool AdapterWraps { get; init; }

        public int Fakes { get; init; } = 1;

        public string FakeName { get; init; } = "InMemoryThing";

        public Plane Plane { get; init; } = Plane.Record;

        public bool HasContract { get; init; } = true;

        public bool HasRuns { get; init; } = true;

        public bool TriesAdapter { get; init; } = true;

        public bool HasCatalog { get; init; } = true;

        public BundleSources Sources()
        {
            var mark = House.Built.Ports.MainModule.GetType("Coordinator.Ports.PortAttribute").Methods.Single(method => method.IsConstructor);
            var ports = new SampleAssembly("Coordinator.Ports").Interface("Coordinator.Ports.IThing", mark, (int)Plane);
            var port = ports.Type("Coordinator.Ports.IThing");
            var adapters = new SampleAssembly("Coordinator.Adapters.Sample");
            for (var i = 0; i < Adapters; i++) adapters.Class($"Coordinator.Adapters.Sample.{(i == 0 ? "RealThing" : "OtherThing")}", implements: [port]);
            if (AdapterWraps) Wrap(adapters.Type("Coordinator.Adapters.Sample.RealThing"), port);
            var fakes = new SampleAssembly("Coordinator.Fakes");
            for (var i = 0; i < Fakes; i++) fakes.Class($"Coordinator.Fakes{(i == 0 ? "" : ".More")}.{FakeName}", implements: [port]);
            return new(ports.Definition, [adapters.Definition], fakes.Definition, Contracts().Definition, Catalogs().Definition);
        }

        private SampleAssembly Contracts()
        {
            var tests = new SampleAssembly("Coordinator.Tests.Conformance");
            if (!HasContract) return tests;
            tests.Class(Contract, kind: TypeAttributes.Public | TypeAttributes.Abstract);
            if (!HasRuns) return tests;
            tests.Class("Coordinator.Tests.Conformance.Thing.InMemoryThingTests", derivesFrom: tests.Type(Contract), uses: [SampleAssembly.Foreign("Coordinator.Fakes", "Coordinator.Fakes.InMemoryThing")]);
            if (TriesAdapter) tests.Class("Coordinator.Tests.Conformance.Thing.RealThingTests", derivesFrom: tests.Type(Contract), uses: [SampleAssembly.Foreign("Coordinator.Adapters.Sample", "Coordinator.Adapters.Sample.RealThing")]);
            return tests;
        }

        private SampleAssembly Catalogs()
        {
            var catalogs = new SampleAssembly("Coordinator.Tests.Faults");
            return HasCatalog ? catalogs.Class("Coordinator.Tests.Faults.ThingFaults") : catalogs;
        }

        private static void Wrap(TypeDefinition adapter, TypeReference port) =>
            adapter.Fields.Add(new("inner", FieldAttributes.Private, adapter.Module.ImportReference(port)));
    }
}
