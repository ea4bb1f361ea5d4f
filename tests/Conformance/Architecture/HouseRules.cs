using Coordinator.Tests.Support.Architecture;
using Mono.Cecil;
using Mono.Cecil.Cil;

namespace Coordinator.Tests.Conformance.Architecture;

/// <summary>
/// The rules of the house, each over the assemblies it is given, so that the same rule judges the product and the sample
/// that breaks it.
/// </summary>
internal static class HouseRules
{
    private static readonly string BaseLibrary = Path.GetDirectoryName(typeof(object).Assembly.Location)!;

    public static TestResult PortsReferenceOnlyTheBaseLibrary(AssemblyDefinition ports) => Types.InAssembly(ports)
        .ShouldNot().HaveDependencyOnAssembly(name => !IsOfTheBaseLibrary(name)).GetResult();

    public static TestResult ModulesReferenceOnlyPortsAndKernel(IEnumerable<AssemblyDefinition> modules) => Types.InAssemblies(modules)
        .ShouldNot().HaveDependencyOnAssembly("Coordinator*", "Coordinator.Ports", "Coordinator.Modules.Kernel").GetResult();

    public static TestResult TheSessionCoreReferencesOnlyPorts(AssemblyDefinition sessions) => Types.InAssembly(sessions)
        .ShouldNot().HaveDependencyOnAssembly("Coordinator*", "Coordinator.Ports").GetResult();

    public static TestResult AdaptersReferenceOnlyPorts(IEnumerable<AssemblyDefinition> adapters) => Types.InAssemblies(adapters)
        .ShouldNot().HaveDependencyOnAssembly("Coordinator*", "Coordinator.Ports").GetResult();

    public static TestResult FakesReferenceOnlyPorts(AssemblyDefinition fakes) => Types.InAssembly(fakes)
        .ShouldNot().HaveDependencyOnAssembly(name => name != "Coordinator.Ports" && !IsOfTheBaseLibrary(name)).GetResult();

    public static TestResult TheDemoReferencesOnlyPorts(AssemblyDefinition demo) => Types.InAssembly(demo)
        .ShouldNot().HaveDependencyOnAssembly("Coordinator*", "Coordinator.Ports").GetResult();

    public static TestResult TheClientKnowsOnlyTheWire(AssemblyDefinition client) => Types.InAssembly(client)
        .ShouldNot().HaveDependencyOnAssembly("Coordinator*").GetResult();

    public static TestResult TheCommandLineKnowsOnlyTheClient(AssemblyDefinition commandLine) => Types.InAssembly(commandLine)
        .ShouldNot().HaveDependencyOnAssembly("Coordinator*", "Coordinator.Client").GetResult();

    /// <summary>It runs where other people's code runs: no database, no people and no keys of the control plane come along.</summary>
    public static TestResult TheSandboxHostKnowsOnlyPortsAndAdapters(AssemblyDefinition sandboxHost) => Types.InAssembly(sandboxHost)
        .ShouldNot().HaveDependencyOnAssembly(name => name.StartsWith("Coordinator.", StringComparison.Ordinal) && name != "Coordinator.Ports" && !name.StartsWith("Coordinator.Adapters.", StringComparison.Ordinal)).GetResult();

    public static TestResult NothingReferencesTheHost(IEnumerable<AssemblyDefinition> others) => Types.InAssemblies(others)
        .ShouldNot().HaveDependencyOnAssembly("Coordinator.Host").GetResult();

    public static TestResult NothingOfTheProductReferencesFakesOrTests(IEnumerable<AssemblyDefinition> product) => Types.InAssemblies(product)
        .ShouldNot().HaveDependencyOnAssembly(name => name == "Coordinator.Fakes" || name.StartsWith("Coordinator.Tests", StringComparison.Ordinal)).GetResult();

    public static TestResult AFakeLivesOnlyAmongTheFakes(IEnumerable<AssemblyDefinition> others) => Types.InAssemblies(others)
        .ShouldNot().HaveNameStartingWith("InMemory", "Fake", "Mock", "Stub").GetResult();

    /// <summary>Registration is exempt: it is not the core, and names it to the container.</summary>
    public static TestResult TheSessionCoreWaitsForNothing(AssemblyDefinition sessions) => Types.InAssembly(sessions)
        .That().DoNotHaveName("Registration")
        .ShouldNot().HaveDependencyOn(
            "System.Threading", "System.TimeProvider", "System.Random", "System.Security.Cryptography.RandomNumberGenerator",
            "System.IO.File", "System.IO.Directory", "System.Net", "System.Diagnostics.Stopwatch")
        .GetResult();

    /// <summary>A journal folds the same everywhere: a setting is looked at when a record is decided, never when it is folded.</summary>
    public static TestResult TheFoldKnowsNoSetting(AssemblyDefinition sessions) => Types.InAssembly(sessions)
        .That().ResideInNamespace("Coordinator.Modules.Sessions.State")
        .ShouldNot().HaveDependencyOn("Coordinator.Modules.Sessions.SessionLimits").GetResult();

    public static TestResult OnlyThePostgresAdapterTouchesItsDriver(IEnumerable<AssemblyDefinition> others) => Types.InAssemblies(others)
        .ShouldNot().HaveDependencyOn("Npgsql", "Microsoft.EntityFrameworkCore", "System.Data").GetResult();

    /// <summary>A package manager is what npm is.</summary>
    public static TestResult NoNameSaysNothing(IEnumerable<AssemblyDefinition> all) => Types.InAssemblies(all)
        .That().DoNotHaveName("PackageManager")
        .ShouldNot().HaveNameEndingWith("Util", "Utils", "Utility", "Utilities", "Helper", "Helpers", "Manager").GetResult();

    /// <summary>The compiler makes <c>Program</c> of statements at the top of a file.</summary>
    public static TestResult ClassesAreSealed(IEnumerable<AssemblyDefinition> all) => Types.InAssemblies(all)
        .That().AreConcreteClasses()
        .And().DoNotHaveName("Program")
        .And().Where(type => !IsDerivedFrom(type))
        .Should().BeSealed().GetResult();

    public static TestResult AdaptersShowOnlyRegistrationsOptionsAndPorts(IEnumerable<AssemblyDefinition> adapters) => Types.InAssemblies(adapters)
        .That().ArePublic()
        .ShouldNot().Satisfy("be public: it is no registration, no options, no failure and no port's implementation", type => !IsAnAdaptersFace(type)).GetResult();

    /// <summary>An outside thing behind an interface that is not marked would need no bundle.</summary>
    public static TestResult WhatAdaptersImplementIsAPort(AssemblyDefinition ports, IEnumerable<AssemblyDefinition> adapters)
    {
        var unmarked = Types.InAssembly(ports).That().AreInterfaces().GetTypes()
            .Where(type => !type.CustomAttributes.Any(attribute => attribute.AttributeType.FullName == "Coordinator.Ports.PortAttribute") && !BesidePorts.Allowed.Contains(type.FullName))
            .Select(type => type.FullName).ToHashSet(StringComparer.Ordinal);
        return Types.InAssemblies(adapters)
            .ShouldNot().Satisfy("implement an interface of src/Ports that is no port", type => unmarked.Overlaps(Inheritance.InterfacesOf(type))).GetResult();
    }

    /// <summary>One that dials by itself can end a call with a bare socket error (see <c>DialedConnection</c>).</summary>
    public static TestResult NoHttpHandlerDialsByItself(IEnumerable<AssemblyDefinition> all) => Types.InAssemblies(all)
        .ShouldNot().Satisfy("make a SocketsHttpHandler without a ConnectCallback", type => Bodies(type).Any(DialsByItself)).GetResult();

    /// <summary>An operator looks an event up by its number: it has to be one event's alone, and one that stays.</summary>
    public static TestResult LogEventsHaveIdsOfTheirOwn(IEnumerable<AssemblyDefinition> all)
    {
        var written = Types.InAssemblies(all).That().Where(type => type.Methods.Any(method => EventId(method) is not null));
        var ids = written.GetTypes().SelectMany(type => type.Methods).Select(EventId).ToLookup(id => id);
        return written.ShouldNot().Satisfy("log an event without an id, or with one that another event has", type => type.Methods.Select(EventId).Any(id => id is not null && (id <= 0 || ids[id].Count() > 1))).GetResult();
    }

    /// <summary>0 for an event that has none; null for a method that logs no event.</summary>
    private static int? EventId(MethodDefinition method)
    {
        var mark = method.CustomAttributes.FirstOrDefault(attribute => attribute.AttributeType.Name == "LoggerMessageAttribute");
        if (mark is null) return null;
        var arguments = mark.ConstructorArguments.Take(1).Concat(mark.Properties.Where(property => property.Name == "EventId").Select(property => property.Argument));
        return arguments.Where(argument => argument.Type.FullName == "System.Int32").Select(argument => (int)argument.Value).FirstOrDefault();
    }

    private static bool DialsByItself(MethodBody body) =>
        Calls(body, "System.Net.Http.SocketsHttpHandler", ".ctor") > Calls(body, "System.Net.Http.SocketsHttpHandler", "set_ConnectCallback");

    private static int Calls(MethodBody body, string type, string method) =>
        body.Instructions.Count(instruction => instruction.Operand is MethodReference called && called.Name == method && called.DeclaringType.FullName == type);

    /// <summary>Those of the types that the compiler made of it too: closures, state machines.</summary>
    private static IEnumerable<MethodBody> Bodies(TypeDefinition type) =>
        type.Methods.Where(method => method.HasBody).Select(method => method.Body).Concat(type.NestedTypes.SelectMany(Bodies));

    private static bool IsAnAdaptersFace(TypeDefinition type) =>
        IsRegistration(type) || AdapterFaces.IsOptions(type) || ImplementsAPort(type) || AdapterFaces.Allowed.Contains(type.FullName);

    /// <summary>Where an adapter is added to a container.</summary>
    public static bool IsRegistration(TypeDefinition type) =>
        type is { IsAbstract: true, IsSealed: true } && type.Name.EndsWith("Registration", StringComparison.Ordinal);

    private static bool ImplementsAPort(TypeDefinition type) =>
        Inheritance.InterfacesOf(type).Any(implemented => implemented.StartsWith("Coordinator.Ports.", StringComparison.Ordinal) && !BesidePorts.Allowed.Contains(implemented));

    private static bool IsDerivedFrom(TypeDefinition type) =>
        type.Module.GetTypes().Any(other => other.BaseType?.GetElementType().FullName == type.FullName);

    private static bool IsOfTheBaseLibrary(string assembly) => File.Exists(Path.Combine(BaseLibrary, assembly + ".dll"));
}
