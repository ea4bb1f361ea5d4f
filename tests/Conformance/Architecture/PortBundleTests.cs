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
    public void With_two_fakes_it_is_not() => Assert.Contains(MissingFrom(new Sample { Fakes = 2 }), missing => missing.Contains("more than one fake", StringComparison.Ordinal));

    [Fact]
    public void With_a_fake_that_was_renamed_away_it_is_not() => Assert.Contains(MissingFrom(new Sample { FakeName = "PretendThing" }), missing => missing.Contains("is not called what fakes are", StringComparison.Ordinal));

    [Fact]
    public void On_no_plane_it_is_not() => Assert.Contains("names no plane", Assert.Single(MissingFrom(new Sample { Plane = (Plane)99 })), StringComparison.Ordinal);

    [Fact]
    public void With_two_adapters_of_one_technology_and_one_of_them_untried_it_is_not() => Assert.Contains("OtherThing", Assert.Single(MissingFrom(new Sample { Adapters = 2 })), StringComparison.Ordinal);

    [Fact]
    public void Without_its_contract_it_is_not() => Assert.Contains("no abstract ThingContract", Assert.Single(MissingFrom(new Sample { HasContract = false })), StringComparison.Ordinal);

    [Fact]
    public void With_a_contract_that_tests_nothing_it_is_not() => Assert.Contains("has no test in it", Assert.Single(MissingFrom(new Sample { ContractTests = false })), StringComparison.Ordinal);

    [Fact]
    public void With_a_contract_that_nobody_runs_it_is_not() => Assert.Contains(MissingFrom(new Sample { HasRuns = false }), missing => missing.Contains("run against nothing", StringComparison.Ordinal));

    [Fact]
    public void With_a_contract_that_leaves_the_adapter_out_it_is_not() => Assert.Contains("Coordinator.Adapters.Sample", Assert.Single(MissingFrom(new Sample { TriesAdapter = false })), StringComparison.Ordinal);

    [Fact]
    public void With_two_runs_of_one_implementation_and_none_of_the_other_it_is_not() => Assert.Contains("InMemoryThing", Assert.Single(MissingFrom(new Sample { TriesFake = false, TriesAdapterAgain = true })), StringComparison.Ordinal);

    [Fact]
    public void With_one_run_that_uses_both_implementations_it_is_not() => Assert.Contains("Coordinator.Fakes", Assert.Single(MissingFrom(new Sample { TriesFake = false, AdapterRunUsesFake = true })), StringComparison.Ordinal);

    [Fact]
    public void With_another_run_that_uses_the_fake_and_none_that_bears_its_name_it_is_not() => Assert.Contains("InMemoryThing", Assert.Single(MissingFrom(new Sample { TriesFake = false, AdapterRunUsesFake = true, TriesAdapterAgain = true })), StringComparison.Ordinal);

    [Fact]
    public void With_a_run_that_uses_the_other_implementation_too_it_is_accepted() => Assert.Empty(MissingFrom(new Sample { AdapterRunUsesFake = true }));

    [Fact]
    public void With_a_rig_that_uses_the_adapter_and_is_no_run_it_is_not() => Assert.Contains("Coordinator.Adapters.Sample", Assert.Single(MissingFrom(new Sample { TriesAdapter = false, HasIdleRig = true })), StringComparison.Ordinal);

    [Fact]
    public void An_internal_adapter_that_is_run_through_its_registration_is_accepted() => Assert.Empty(MissingFrom(new Sample { AdapterIsInternal = true }));

    [Fact]
    public void With_a_registration_that_does_not_lead_to_the_adapter_it_is_not() => Assert.Contains("RealThing", Assert.Single(MissingFrom(new Sample { AdapterIsInternal = true, RegistersAdapter = false })), StringComparison.Ordinal);

    [Fact]
    public void With_a_run_that_uses_only_what_stands_beside_the_adapter_it_is_not() => Assert.Contains("RealThing", Assert.Single(MissingFrom(new Sample { TriesBesideAdapter = true })), StringComparison.Ordinal);

    [Fact]
    public void An_adapter_by_its_base_class_is_accepted() => Assert.Empty(MissingFrom(new Sample { AdapterInherits = true }));

    [Fact]
    public void An_adapter_by_its_base_class_that_nobody_tries_is_not() => Assert.Contains("RealThing", Assert.Single(MissingFrom(new Sample { AdapterInherits = true, TriesAdapter = false })), StringComparison.Ordinal);

    [Fact]
    public void An_untried_adapter_that_stands_in_front_of_another_is_not() => Assert.Contains("CarefulThing", Assert.Single(MissingFrom(new Sample { HasAdapterInFront = true })), StringComparison.Ordinal);

    [Fact]
    public void A_tried_adapter_that_stands_in_front_of_another_is_accepted() => Assert.Empty(MissingFrom(new Sample { HasAdapterInFront = true, TriesAdapterInFront = true }));

    [Fact]
    public void With_a_catalog_that_is_one_by_its_name_only_it_is_not() => Assert.Contains("no ThingFaults", Assert.Single(MissingFrom(new Sample { CatalogOf = null })), StringComparison.Ordinal);

    [Fact]
    public void With_a_catalog_of_another_port_it_is_not() => Assert.Contains("no ThingFaults", Assert.Single(MissingFrom(new Sample { CatalogOf = "IOther" })), StringComparison.Ordinal);

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
        private const TypeAttributes StaticClass = TypeAttributes.Public | TypeAttributes.Abstract | TypeAttributes.Sealed;

        private const string Contract = "Coordinator.Tests.Conformance.Thing.ThingContract";

        public int Adapters { get; init; } = 1;

        public bool AdapterWraps { get; init; }

        public int Fakes { get; init; } = 1;

        public string FakeName { get; init; } = "InMemoryThing";

        public Plane Plane { get; init; } = Plane.Record;

        public bool HasContract { get; init; } = true;

        public bool ContractTests { get; init; } = true;

        public bool HasRuns { get; init; } = true;

        public bool TriesAdapter { get; init; } = true;

        public bool TriesAdapterAgain { get; init; }

        public bool TriesFake { get; init; } = true;

        public bool AdapterRunUsesFake { get; init; }

        public bool AdapterIsInternal { get; init; }

        public bool RegistersAdapter { get; init; } = true;

        public bool TriesBesideAdapter { get; init; }

        public bool AdapterInherits { get; init; }

        public bool HasAdapterInFront { get; init; }

        public bool TriesAdapterInFront { get; init; }

        public bool HasIdleRig { get; init; }

        public string? CatalogOf { get; init; } = "IThing";

        public bool HasCatalog { get; init; } = true;

        public BundleSources Sources()
        {
            var mark = House.Built.Ports.MainModule.GetType("Coordinator.Ports.PortAttribute").Methods.Single(method => method.IsConstructor);
            var ports = new SampleAssembly("Coordinator.Ports").Interface("Coordinator.Ports.IThing", mark, (int)Plane);
            var port = ports.Type("Coordinator.Ports.IThing");
            var fakes = new SampleAssembly("Coordinator.Fakes");
            for (var i = 0; i < Fakes; i++) fakes.Class($"Coordinator.Fakes{(i == 0 ? "" : ".More")}.{FakeName}", implements: [port]);
            return new(ports.Definition, [AdaptersOf(port).Definition], fakes.Definition, Contracts().Definition, Catalogs().Definition);
        }

        private SampleAssembly AdaptersOf(TypeDefinition port)
        {
            const string Namespace = "Coordinator.Adapters.Sample";
            var adapters = new SampleAssembly(Namespace);
            if (AdapterInherits) adapters.Class($"{Namespace}.AnyThing", implements: [port], kind: TypeAttributes.Public | TypeAttributes.Abstract);
            for (var i = 0; i < Adapters; i++)
            {
                adapters.Class($"{Namespace}.{(i == 0 ? "RealThing" : "OtherThing")}", implements: AdapterInherits ? [] : [port],
                    derivesFrom: AdapterInherits ? adapters.Type($"{Namespace}.AnyThing") : null, kind: AdapterIsInternal ? TypeAttributes.NotPublic : TypeAttributes.Public);
            }

            if (AdapterWraps) Wrap(adapters.Type($"{Namespace}.RealThing"), port);
            if (HasAdapterInFront) Wrap(adapters.Class($"{Namespace}.CarefulThing", implements: [port]).Type($"{Namespace}.CarefulThing"), port);
            if (!AdapterIsInternal) return adapters;
            adapters.Class($"{Namespace}.MoreRegistration", uses: RegistersAdapter ? [adapters.Type($"{Namespace}.RealThing")] : [], kind: StaticClass);
            return adapters.Class($"{Namespace}.Registration", uses: [adapters.Type($"{Namespace}.MoreRegistration")], kind: StaticClass);
        }

        private SampleAssembly Contracts()
        {
            var tests = new SampleAssembly("Coordinator.Tests.Conformance");
            if (!HasContract) return tests;
            tests.Class(Contract, kind: TypeAttributes.Public | TypeAttributes.Abstract);
            if (ContractTests) AddTest(tests.Type(Contract));
            if (!HasRuns) return tests;
            var fake = SampleAssembly.Foreign("Coordinator.Fakes", "Coordinator.Fakes.InMemoryThing");
            var adapter = SampleAssembly.Foreign("Coordinator.Adapters.Sample", $"Coordinator.Adapters.Sample.{(TriesBesideAdapter ? "ThingOptions" : AdapterIsInternal ? "Registration" : "RealThing")}");
            if (TriesFake) Run("InMemoryThingTests", fake);
            if (TriesAdapter) Run("RealThingTests", AdapterRunUsesFake ? [adapter, fake] : [adapter]);
            if (TriesAdapterAgain) Run("RealThingElsewhereTests", adapter);
            if (TriesAdapterInFront) Run("CarefulThingTests", SampleAssembly.Foreign("Coordinator.Adapters.Sample", "Coordinator.Adapters.Sample.CarefulThing"));
            if (HasIdleRig) tests.Class("Coordinator.Tests.Conformance.Thing.RealRig", uses: [adapter]);
            return tests;

            void Run(string name, params TypeReference[] uses) => tests.Class($"Coordinator.Tests.Conformance.Thing.{name}", derivesFrom: tests.Type(Contract), uses: uses);
        }

        private SampleAssembly Catalogs()
        {
            var catalogs = new SampleAssembly("Coordinator.Tests.Faults");
            if (!HasCatalog) return catalogs;
            if (CatalogOf is null) return catalogs.Class("Coordinator.Tests.Faults.ThingFaults");
            var relation = new GenericInstanceType(SampleAssembly.Foreign("Coordinator.Tests.Faults", "Coordinator.Tests.Faults.FaultCatalog`1"));
            relation.GenericArguments.Add(SampleAssembly.Foreign("Coordinator.Ports", $"Coordinator.Ports.{CatalogOf}"));
            return catalogs.Class("Coordinator.Tests.Faults.ThingFaults", derivesFrom: relation);
        }

        private static void AddTest(TypeDefinition contract)
        {
            var test = new MethodDefinition("It_holds", MethodAttributes.Public, contract.Module.TypeSystem.Void);
            test.CustomAttributes.Add(new(contract.Module.ImportReference(typeof(FactAttribute).GetConstructor([]))));
            contract.Methods.Add(test);
        }

        private static void Wrap(TypeDefinition adapter, TypeReference port) =>
            adapter.Fields.Add(new("inner", FieldAttributes.Private, adapter.Module.ImportReference(port)));
    }
}
