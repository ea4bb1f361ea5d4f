using Coordinator.Tests.Support.Architecture;
using Xunit;

namespace Coordinator.Tests.Conformance.Architecture;

/// <summary>The rules of the house, over what was built. That each of them can fail is shown in <see cref="BrokenSampleTests"/>.</summary>
public sealed class HouseRuleTests
{
    private static House House => House.Built;

    [Fact]
    public void Ports_reference_only_the_base_library() => Holds(HouseRules.PortsReferenceOnlyTheBaseLibrary(House.Ports));

    [Fact]
    public void Modules_reference_only_ports_and_kernel_never_an_adapter_or_another_module() => Holds(HouseRules.ModulesReferenceOnlyPortsAndKernel(House.Of("src/Modules")));

    [Fact]
    public void The_session_core_references_only_ports() => Holds(HouseRules.TheSessionCoreReferencesOnlyPorts(House.SessionsModule));

    [Fact]
    public void The_session_core_waits_for_nothing_and_has_no_clock_and_no_chance() => Holds(HouseRules.TheSessionCoreWaitsForNothing(House.SessionsModule));

    [Fact]
    public void The_fold_of_a_journal_knows_no_setting() => Holds(HouseRules.TheFoldKnowsNoSetting(House.SessionsModule));

    [Fact]
    public void Adapters_reference_only_ports_never_a_module_or_another_adapter() => Holds(HouseRules.AdaptersReferenceOnlyPorts(House.Adapters));

    [Fact]
    public void Adapters_show_only_registrations_options_and_ports() => Holds(HouseRules.AdaptersShowOnlyRegistrationsOptionsAndPorts(House.Adapters));

    [Fact]
    public void What_adapters_implement_is_a_port_with_its_bundle() => Holds(HouseRules.WhatAdaptersImplementIsAPort(House.Ports, House.Adapters));

    [Fact]
    public void Only_the_postgres_adapter_touches_its_driver() => Holds(HouseRules.OnlyThePostgresAdapterTouchesItsDriver(House.Except("src/Adapters/Postgres")));

    [Fact]
    public void Fakes_reference_only_ports() => Holds(HouseRules.FakesReferenceOnlyPorts(House.Fakes));

    [Fact]
    public void A_fake_lives_only_among_the_fakes() => Holds(HouseRules.AFakeLivesOnlyAmongTheFakes(House.Except("src/Fakes")));

    [Fact]
    public void Nothing_of_the_product_references_fakes_or_tests() => Holds(HouseRules.NothingOfTheProductReferencesFakesOrTests(House.Except("src/Fakes")));

    [Fact]
    public void Nothing_references_the_host() => Holds(HouseRules.NothingReferencesTheHost(House.Except("src/Host")));

    [Fact]
    public void The_demo_references_only_ports() => Holds(HouseRules.TheDemoReferencesOnlyPorts(House.Of("src/Demo").Single()));

    [Fact]
    public void The_sandbox_host_knows_only_ports_and_adapters() => Holds(HouseRules.TheSandboxHostKnowsOnlyPortsAndAdapters(House.Of("src/SandboxHost").Single()));

    [Fact]
    public void The_client_knows_only_the_wire() => Holds(HouseRules.TheClientKnowsOnlyTheWire(House.Of("src/Client").Single()));

    [Fact]
    public void The_command_line_knows_only_the_client() => Holds(HouseRules.TheCommandLineKnowsOnlyTheClient(House.Of("src/Cli").Single()));

    [Fact]
    public void No_name_says_nothing() => Holds(HouseRules.NoNameSaysNothing(House.All));

    [Fact]
    public void Classes_are_sealed_unless_something_derives_from_them() => Holds(HouseRules.ClassesAreSealed(House.All));

    [Fact]
    public void No_http_handler_dials_by_itself() => Holds(HouseRules.NoHttpHandlerDialsByItself(House.All));

    [Fact]
    public void Every_log_event_has_an_id_of_its_own() => Holds(HouseRules.LogEventsHaveIdsOfTheirOwn(House.All));

    [Fact]
    public void Project_files_reference_what_their_assemblies_may() => Assert.Empty(ProjectReferenceRules.Offences(House.Root));

    private static void Holds(TestResult result) => Assert.True(result.IsSuccessful, result.ToString());
}
