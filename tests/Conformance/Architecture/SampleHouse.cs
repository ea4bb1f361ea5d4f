using Coordinator.Tests.Support.Architecture;
using Mono.Cecil;

namespace Coordinator.Tests.Conformance.Architecture;

/// <summary>
/// Some sample assemblies as if they were the product: each rule judges those that it is about, found by their names, so that it can be said
/// of a sample that it breaks one rule and no other.
/// </summary>
internal sealed class SampleHouse(params AssemblyDefinition[] assemblies)
{
    /// <summary>The rules that are broken, by their names.</summary>
    public IEnumerable<string> BrokenRules => Judgements.Where(one => one.Result is { IsSuccessful: false, WasAboutNothing: false }).Select(one => one.Rule);

    private IEnumerable<(string Rule, TestResult? Result)> Judgements =>
    [
        (nameof(HouseRules.PortsReferenceOnlyTheBaseLibrary), One("Coordinator.Ports", HouseRules.PortsReferenceOnlyTheBaseLibrary)),
        (nameof(HouseRules.ModulesReferenceOnlyPortsAndKernel), HouseRules.ModulesReferenceOnlyPortsAndKernel(Below("Coordinator.Modules."))),
        (nameof(HouseRules.TheSessionCoreReferencesOnlyPorts), One("Coordinator.Modules.Sessions", HouseRules.TheSessionCoreReferencesOnlyPorts)),
        (nameof(HouseRules.TheSessionCoreWaitsForNothing), One("Coordinator.Modules.Sessions", HouseRules.TheSessionCoreWaitsForNothing)),
        (nameof(HouseRules.TheFoldKnowsNoSetting), One("Coordinator.Modules.Sessions", HouseRules.TheFoldKnowsNoSetting)),
        (nameof(HouseRules.AdaptersReferenceOnlyPorts), HouseRules.AdaptersReferenceOnlyPorts(Below("Coordinator.Adapters."))),
        (nameof(HouseRules.AdaptersShowOnlyRegistrationsOptionsAndPorts), HouseRules.AdaptersShowOnlyRegistrationsOptionsAndPorts(Below("Coordinator.Adapters."))),
        (nameof(HouseRules.WhatAdaptersImplementIsAPort), One("Coordinator.Ports", ports => HouseRules.WhatAdaptersImplementIsAPort(ports, Below("Coordinator.Adapters.")))),
        (nameof(HouseRules.OnlyThePostgresAdapterTouchesItsDriver), HouseRules.OnlyThePostgresAdapterTouchesItsDriver(Except("Coordinator.Adapters.Postgres"))),
        (nameof(HouseRules.FakesReferenceOnlyPorts), One("Coordinator.Fakes", HouseRules.FakesReferenceOnlyPorts)),
        (nameof(HouseRules.AFakeLivesOnlyAmongTheFakes), HouseRules.AFakeLivesOnlyAmongTheFakes(Except("Coordinator.Fakes"))),
        (nameof(HouseRules.NothingOfTheProductReferencesFakesOrTests), HouseRules.NothingOfTheProductReferencesFakesOrTests(Except("Coordinator.Fakes"))),
        (nameof(HouseRules.NothingReferencesTheHost), HouseRules.NothingReferencesTheHost(Except("Coordinator.Host"))),
        (nameof(HouseRules.TheDemoReferencesOnlyPorts), One("Coordinator.Demo", HouseRules.TheDemoReferencesOnlyPorts)),
        (nameof(HouseRules.TheSandboxHostKnowsOnlyPortsAndAdapters), One("Coordinator.SandboxHost", HouseRules.TheSandboxHostKnowsOnlyPortsAndAdapters)),
        (nameof(HouseRules.TheClientKnowsOnlyTheWire), One("Coordinator.Client", HouseRules.TheClientKnowsOnlyTheWire)),
        (nameof(HouseRules.TheCommandLineKnowsOnlyTheClient), One("coordinator", HouseRules.TheCommandLineKnowsOnlyTheClient)),
        (nameof(HouseRules.NoNameSaysNothing), HouseRules.NoNameSaysNothing(assemblies)),
        (nameof(HouseRules.ClassesAreSealed), HouseRules.ClassesAreSealed(assemblies)),
        (nameof(HouseRules.NoHttpHandlerDialsByItself), HouseRules.NoHttpHandlerDialsByItself(assemblies)),
        (nameof(HouseRules.LogEventsHaveIdsOfTheirOwn), HouseRules.LogEventsHaveIdsOfTheirOwn(assemblies)),
    ];

    private TestResult? One(string name, Func<AssemblyDefinition, TestResult> rule) => assemblies.FirstOrDefault(one => one.Name.Name == name) is { } named ? rule(named) : null;

    private IEnumerable<AssemblyDefinition> Below(string name) => assemblies.Where(one => one.Name.Name.StartsWith(name, StringComparison.Ordinal));

    private IEnumerable<AssemblyDefinition> Except(string name) => assemblies.Where(one => one.Name.Name != name);
}
