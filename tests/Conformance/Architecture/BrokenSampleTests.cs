using Coordinator.Tests.Support.Architecture;
using Mono.Cecil;
using Xunit;

namespace Coordinator.Tests.Conformance.Architecture;

/// <summary>Every rule of the house against a sample that breaks it: a rule that looks at the wrong assembly never fails.</summary>
public sealed class BrokenSampleTests
{
    [Fact]
    public void A_port_that_uses_a_package_is_caught() =>
        Caught(HouseRules.PortsReferenceOnlyTheBaseLibrary, Using("Coordinator.Ports", "Coordinator.Ports.Broken", "MediatR", "MediatR.IMediator"), "MediatR.IMediator");

    [Theory]
    [InlineData("Coordinator.Adapters.Postgres", "Coordinator.Adapters.Postgres.DatabaseOptions")]
    [InlineData("Coordinator.Modules.Runs", "Coordinator.Modules.Runs.Registration")]
    [InlineData("coordinator", "Coordinator.Cli.Terminal")]
    public void A_module_that_uses_an_adapter_or_another_module_is_caught(string assembly, string type) =>
        Caught(HouseRules.ModulesReferenceOnlyPortsAndKernel, Using("Coordinator.Modules.Broken", "Coordinator.Modules.Broken.Handler", assembly, type), type);

    [Fact]
    public void A_module_that_uses_ports_and_kernel_is_not() => Assert.True(HouseRules.ModulesReferenceOnlyPortsAndKernel(
    [
        Using("Coordinator.Modules.Good", "Coordinator.Modules.Good.Handler", "Coordinator.Ports", "Coordinator.Ports.Problem"),
        Using("Coordinator.Modules.Good", "Coordinator.Modules.Good.Endpoint", "Coordinator.Modules.Kernel", "Coordinator.Modules.Kernel.Http.IEndpointModule"),
    ]).IsSuccessful);

    [Fact]
    public void A_session_core_that_uses_the_kernel_is_caught() =>
        Caught(HouseRules.TheSessionCoreReferencesOnlyPorts, Using("Coordinator.Modules.Sessions", "Coordinator.Modules.Sessions.Decider", "Coordinator.Modules.Kernel", "Coordinator.Modules.Kernel.Registration"), "Kernel");

    [Theory]
    [InlineData("System.Threading.Tasks.Task")]
    [InlineData("System.Threading.Channels.Channel")]
    [InlineData("System.TimeProvider")]
    [InlineData("System.Random")]
    public void A_session_core_that_waits_or_guesses_is_caught(string type) =>
        Caught(HouseRules.TheSessionCoreWaitsForNothing, Using("Coordinator.Modules.Sessions", "Coordinator.Modules.Sessions.Decider", "System.Runtime", type), type);

    [Fact]
    public void A_fold_that_looks_at_a_setting_is_caught() =>
        Caught(HouseRules.TheFoldKnowsNoSetting, Using("Coordinator.Modules.Sessions", "Coordinator.Modules.Sessions.State.Evolver", "Coordinator.Modules.Sessions", "Coordinator.Modules.Sessions.SessionLimits"), "SessionLimits");

    [Theory]
    [InlineData("Coordinator.Modules.Kernel")]
    [InlineData("Coordinator.Adapters.Git")]
    public void An_adapter_that_uses_a_module_or_another_adapter_is_caught(string assembly) =>
        Caught(HouseRules.AdaptersReferenceOnlyPorts, Using("Coordinator.Adapters.Broken", "Coordinator.Adapters.Broken.BrokenThing", assembly, assembly + ".Registration"), assembly);

    [Fact]
    public void An_adapter_that_shows_its_inside_is_caught() =>
        Caught(HouseRules.AdaptersShowOnlyRegistrationsOptionsAndPorts, new SampleAssembly("Coordinator.Adapters.Broken").Class("Coordinator.Adapters.Broken.Inside").Definition, "Inside");

    [Fact]
    public void An_adapter_that_shows_what_is_no_port_of_its_own_is_caught()
    {
        var beside = SampleAssembly.Foreign("Coordinator.Ports", BesidePorts.Allowed.First());
        Caught(HouseRules.AdaptersShowOnlyRegistrationsOptionsAndPorts, new SampleAssembly("Coordinator.Adapters.Broken").Class("Coordinator.Adapters.Broken.Beside", implements: [beside]).Definition, "Beside");
    }

    [Fact]
    public void An_outside_thing_behind_an_interface_that_is_no_port_is_caught()
    {
        var ports = new SampleAssembly("Coordinator.Ports").Interface("Coordinator.Ports.IThing");
        var adapters = new SampleAssembly("Coordinator.Adapters.Broken").Class("Coordinator.Adapters.Broken.RealThing", implements: [ports.Type("Coordinator.Ports.IThing")]);

        Caught(HouseRules.WhatAdaptersImplementIsAPort, ports.Definition, adapters.Definition, "RealThing");
    }

    [Fact]
    public void One_that_is_implemented_by_a_base_class_is_caught_too()
    {
        var ports = new SampleAssembly("Coordinator.Ports").Interface("Coordinator.Ports.IThing");
        var adapters = new SampleAssembly("Coordinator.Adapters.Broken").Class("Coordinator.Adapters.Broken.AnyThing", implements: [ports.Type("Coordinator.Ports.IThing")], kind: TypeAttributes.Abstract);
        adapters.Class("Coordinator.Adapters.Broken.RealThing", derivesFrom: adapters.Type("Coordinator.Adapters.Broken.AnyThing"));

        Caught(HouseRules.WhatAdaptersImplementIsAPort, ports.Definition, adapters.Definition, "RealThing");
    }

    [Theory]
    [InlineData("Coordinator.Modules.Tenancy")]
    [InlineData("Coordinator.Client")]
    public void A_sandbox_host_that_uses_a_module_or_the_client_is_caught(string assembly) =>
        Caught(HouseRules.TheSandboxHostKnowsOnlyPortsAndAdapters, Using("Coordinator.SandboxHost", "Coordinator.SandboxHost.Broken", assembly, assembly + ".Registration"), assembly);

    [Fact]
    public void Somebody_else_who_talks_to_the_database_is_caught() =>
        Caught(HouseRules.OnlyThePostgresAdapterTouchesItsDriver, Using("Coordinator.Modules.Runs", "Coordinator.Modules.Runs.Report", "Npgsql", "Npgsql.NpgsqlConnection"), "Npgsql.NpgsqlConnection");

    [Fact]
    public void A_fake_that_uses_an_adapter_is_caught() =>
        Caught(HouseRules.FakesReferenceOnlyPorts, Using("Coordinator.Fakes", "Coordinator.Fakes.InMemoryThing", "Coordinator.Adapters.Git", "Coordinator.Adapters.Git.GitOptions"), "GitOptions");

    [Theory]
    [InlineData("InMemoryJournal")]
    [InlineData("FakeClock")]
    public void A_fake_outside_the_fakes_is_caught(string name) =>
        Caught(HouseRules.AFakeLivesOnlyAmongTheFakes, new SampleAssembly("Coordinator.Modules.Broken").Class("Coordinator.Modules.Broken." + name).Definition, name);

    [Theory]
    [InlineData("Coordinator.Fakes")]
    [InlineData("Coordinator.Tests.Support")]
    public void A_product_that_uses_a_fake_or_a_test_is_caught(string assembly) =>
        Caught(HouseRules.NothingOfTheProductReferencesFakesOrTests, Using("Coordinator.Host", "Coordinator.Host.Composition", assembly, assembly + ".Thing"), assembly);

    [Fact]
    public void Whoever_uses_the_host_is_caught() =>
        Caught(HouseRules.NothingReferencesTheHost, Using("Coordinator.Sandbox", "Coordinator.Sandbox.Broken", "Coordinator.Host", "Coordinator.Host.CoordinatorHost"), "CoordinatorHost");

    [Fact]
    public void A_demo_that_uses_a_module_is_caught() =>
        Caught(HouseRules.TheDemoReferencesOnlyPorts, Using("Coordinator.Demo", "Coordinator.Demo.Model", "Coordinator.Modules.Models", "Coordinator.Modules.Models.Registration"), "Models");

    [Fact]
    public void A_client_that_uses_the_servers_types_is_caught() =>
        Caught(HouseRules.TheClientKnowsOnlyTheWire, Using("Coordinator.Client", "Coordinator.Client.Call", "Coordinator.Ports", "Coordinator.Ports.SessionId"), "SessionId");

    [Fact]
    public void A_command_line_that_uses_the_servers_types_is_caught() =>
        Caught(HouseRules.TheCommandLineKnowsOnlyTheClient, Using("coordinator", "Coordinator.Cli.Command", "Coordinator.Ports", "Coordinator.Ports.SessionId"), "SessionId");

    [Theory]
    [InlineData("StringUtils")]
    [InlineData("SessionManager")]
    [InlineData("JsonHelper")]
    public void A_name_that_says_nothing_is_caught(string name) =>
        Caught(HouseRules.NoNameSaysNothing, new SampleAssembly("Coordinator.Modules.Broken").Class("Coordinator.Modules.Broken." + name).Definition, name);

    [Fact]
    public void A_class_that_is_open_for_nobody_is_caught() =>
        Caught(HouseRules.ClassesAreSealed, new SampleAssembly("Coordinator.Modules.Broken").Class("Coordinator.Modules.Broken.Open", kind: TypeAttributes.Public).Definition, "Open");

    [Fact]
    public void An_http_handler_that_dials_by_itself_is_caught() =>
        Caught(HouseRules.NoHttpHandlerDialsByItself, new SampleAssembly("Coordinator.Client").Class("Coordinator.Client.Broken", makes: [typeof(SocketsHttpHandler).GetConstructor([])!]).Definition, "Broken");

    [Theory]
    [InlineData(2301, "One")]
    [InlineData(2301, "Two")]
    [InlineData(0, "Two")]
    public void A_log_event_with_the_id_of_another_or_with_none_is_caught(int id, string caught) =>
        Caught(HouseRules.LogEventsHaveIdsOfTheirOwn, new SampleAssembly("Coordinator.Modules.Broken").Logs("Coordinator.Modules.Broken.One", 2301, 2302).Logs("Coordinator.Modules.Broken.Two", id).Definition, caught);

    [Fact]
    public void A_project_file_with_a_reference_too_many_is_caught()
    {
        var root = Directory.CreateTempSubdirectory("coordinator-rules-");
        try
        {
            var folder = Directory.CreateDirectory(Path.Combine(root.FullName, "src", "Modules", "Broken"));
            File.WriteAllText(Path.Combine(folder.FullName, "Broken.csproj"), """<Project><ItemGroup><ProjectReference Include="../../Adapters/Git/Git.csproj" /></ItemGroup></Project>""");

            Assert.Equal("src/Modules/Broken must not reference src/Adapters/Git", Assert.Single(ProjectReferenceRules.Offences(root.FullName)));
        }
        finally
        {
            root.Delete(recursive: true);
        }
    }

    [Fact]
    public void Every_rule_judges_the_product_and_has_a_sample_that_breaks_it()
    {
        var tests = House.Tests("Conformance");
        var rules = tests.MainModule.GetType(typeof(HouseRules).FullName).Methods.Where(method => method.IsPublic && method.ReturnType.Name == nameof(TestResult)).Select(method => method.Name).ToList();

        Assert.NotEmpty(rules);
        Assert.All([typeof(HouseRuleTests), typeof(BrokenSampleTests), typeof(SampleHouse)], user => Assert.Empty(rules.Except(RulesIn(tests.MainModule.GetType(user.FullName)))));
    }

    [Fact]
    public void A_rule_about_no_type_at_all_does_not_hold() =>
        Assert.True(HouseRules.ModulesReferenceOnlyPortsAndKernel([]) is { IsSuccessful: false, WasAboutNothing: true });

    private static IEnumerable<string> RulesIn(TypeDefinition type) => type.Methods.Concat(type.NestedTypes.SelectMany(nested => nested.Methods)).Where(method => method.HasBody).SelectMany(method => method.Body.Instructions)
        .Select(instruction => instruction.Operand).OfType<MethodReference>().Where(called => called.DeclaringType.Name == nameof(HouseRules)).Select(called => called.Name);

    private static AssemblyDefinition Using(string assembly, string type, string otherAssembly, string otherType) =>
        new SampleAssembly(assembly).Class(type, uses: [SampleAssembly.Foreign(otherAssembly, otherType)], kind: TypeAttributes.NotPublic | TypeAttributes.Sealed).Definition;

    private static void Caught(Func<AssemblyDefinition, TestResult> rule, AssemblyDefinition sample, string what) => Caught(rule.Method.Name, rule(sample), what, sample);

    private static void Caught(Func<IEnumerable<AssemblyDefinition>, TestResult> rule, AssemblyDefinition sample, string what) => Caught(rule.Method.Name, rule([sample]), what, sample);

    private static void Caught(Func<AssemblyDefinition, IEnumerable<AssemblyDefinition>, TestResult> rule, AssemblyDefinition ports, AssemblyDefinition adapters, string what) =>
        Caught(rule.Method.Name, rule(ports, [adapters]), what, ports, adapters);

    /// <summary>By this rule, for this reason, and by no other.</summary>
    private static void Caught(string rule, TestResult result, string what, params AssemblyDefinition[] sample)
    {
        Assert.Contains(what, result.ToString(), StringComparison.Ordinal);
        Assert.Equal([rule], new SampleHouse(sample).BrokenRules);
    }
}
