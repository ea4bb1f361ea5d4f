using Coordinator.Ports;
using Coordinator.Tests.Support.Architecture;
using Mono.Cecil;

namespace Coordinator.Tests.Conformance.Architecture;

/// <summary>Where the parts of the bundles are looked for.</summary>
internal sealed record BundleSources(AssemblyDefinition Ports, IReadOnlyList<AssemblyDefinition> Adapters, AssemblyDefinition Fakes, AssemblyDefinition Contracts, AssemblyDefinition Catalogs)
{
    /// <summary>Types that are looked at as if they were not there, to see what becomes of a bundle without them.</summary>
    public IReadOnlySet<string> Removed { get; init; } = new HashSet<string>(StringComparer.Ordinal);

    public Types In(params IEnumerable<AssemblyDefinition> assemblies) => Types.InAssemblies(assemblies).That().Where(type => !Removed.Contains(type.FullName));
}

/// <summary>
/// A port and what the build demands of it: a real adapter, exactly one fake, a contract that runs against all of them, and
/// a fault catalog. Found by what implements and derives from what, never from a list that somebody keeps.
/// </summary>
internal sealed record PortBundle(
    TypeDefinition Port,
    Plane Plane,
    IReadOnlyList<TypeDefinition> Adapters,
    IReadOnlyList<TypeDefinition> Fakes,
    TypeDefinition? Contract,
    IReadOnlyList<TypeDefinition> Runs,
    TypeDefinition? Catalog,
    IReadOnlyList<TypeDefinition> Untried,
    IReadOnlyList<(TypeDefinition Implementation, IReadOnlyList<TypeDefinition> Runs)> Tried)
{
    private const string Mark = "Coordinator.Ports.PortAttribute";

    /// <summary>The port's noun: <c>SessionJournal</c> of <c>ISessionJournal</c>.</summary>
    public string Noun => NounOf(Port);

    /// <summary>A fake keeps the thing in memory, or plays a script.</summary>
    private string[] FakeNames => [$"InMemory{Noun}", $"Scripted{Noun}"];

    /// <summary>The bundle of every interface marked as a port.</summary>
    public static IReadOnlyList<PortBundle> Find(BundleSources sources) =>
        [.. PortsOf(sources).Select(port => Of(port, sources))];

    /// <summary>The interfaces marked as ports.</summary>
    public static IEnumerable<TypeDefinition> PortsOf(BundleSources sources) => sources.In(sources.Ports).That().HaveCustomAttribute(Mark).And().AreInterfaces().GetTypes();

    /// <summary>Everything that is not as it should be but the catalog.</summary>
    public IEnumerable<string> Missing()
    {
        if (!Enum.IsDefined(Plane)) yield return $"{Port.Name} names no plane";
        if (Adapters.Count == 0) yield return $"{Port.Name} has no real adapter in src/Adapters";
        if (Fakes.Count == 0) yield return $"{Port.Name} has no fake in src/Fakes";
        if (Fakes.Count > 1) yield return $"{Port.Name} has more than one fake: {string.Join(", ", Fakes.Select(fake => fake.Name))}";
        foreach (var fake in Fakes.Where(fake => !FakeNames.Contains(fake.Name))) yield return $"{fake.Name} is not called what fakes are: {string.Join(" or ", FakeNames)}";
        if (Contract is null) yield return $"{Port.Name} has no abstract {Noun}Contract in tests/Conformance";
        if (Contract is not null && !Contract.Methods.Any(IsTest)) yield return $"{Noun}Contract has no test in it";
        if (Contract is not null && Runs.Count == 0) yield return $"{Noun}Contract is run against nothing";
        if (Runs.Count > 0)
            foreach (var implementation in Untried) yield return $"{Port.Name} is implemented by {implementation.FullName} of {implementation.Module.Assembly.Name.Name}, and {Noun}Contract has no run of its own against it";
    }

    /// <summary>What is missing of the fault catalog.</summary>
    public IEnumerable<string> MissingCatalog()
    {
        if (Catalog is null) yield return $"{Port.Name} has no {Noun}Faults : FaultCatalog<{Port.Name}> in tests/Faults";
    }

    /// <summary>The bundle of one port.</summary>
    public static PortBundle Of(TypeDefinition port, BundleSources sources)
    {
        var served = sources.In(sources.Adapters).That().AreConcreteClasses().And().Where(type => Inheritance.Implements(type, port)).GetTypes();
        var adapters = served.Where(type => !Wraps(type, port)).ToArray();
        var fakes = sources.In(sources.Fakes).That().AreConcreteClasses().And().Where(type => Inheritance.Implements(type, port)).GetTypes();
        var tests = sources.In(sources.Contracts).GetTypes();
        var contract = tests.SingleOrDefault(type => type.Name == NounOf(port) + "Contract" && type.IsAbstract);
        var runs = contract is null ? [] : tests.Where(type => !type.IsAbstract && Inheritance.Ancestors(type).Contains(contract)).ToArray();
        var tries = TriesOf([.. served, .. fakes], fakes, runs, tests);
        return new(port, PlaneOf(port), adapters, fakes, contract, runs,
            sources.In(sources.Catalogs).GetTypes().SingleOrDefault(type => type.Name == NounOf(port) + "Faults" && IsCatalogOf(type, port)),
            NotRun(tries), tries);
    }

    /// <summary>
    /// The runs of each implementation: those that use it and bear its name. One that only uses it (a data plane over this machine's
    /// boxes) is another's, and would stand in for its own without a word.
    /// </summary>
    private static IReadOnlyList<(TypeDefinition Implementation, IReadOnlyList<TypeDefinition> Runs)> TriesOf(IReadOnlyList<TypeDefinition> all, IReadOnlyList<TypeDefinition> fakes, IReadOnlyList<TypeDefinition> runs, IEnumerable<TypeDefinition> tests)
    {
        var byName = tests.ToLookup(type => type.FullName);
        var used = runs.ToDictionary(run => run, run => UsedFrom(run, byName));
        return [.. all.Select(implementation => (implementation, DoorsTo(implementation, fakes.Contains(implementation))))
            .Select(one => (one.implementation, (IReadOnlyList<TypeDefinition>)[.. runs.Where(run => run.Name.StartsWith(one.implementation.Name, StringComparison.Ordinal) && used[run].Overlaps(one.Item2))]))];
    }

    /// <summary>
    /// What is left when every implementation takes a run of its own that uses it. One run may use several, such as an adapter
    /// over another's fake, so a run that was taken is given up when the one that took it has another.
    /// </summary>
    private static TypeDefinition[] NotRun(IReadOnlyList<(TypeDefinition Implementation, IReadOnlyList<TypeDefinition> Runs)> tries)
    {
        var runsOf = tries.ToDictionary(one => one.Implementation, one => one.Runs);
        var taken = new Dictionary<TypeDefinition, TypeDefinition>();
        return [.. tries.Select(one => one.Implementation).Where(implementation => !Takes(implementation, []))];

        bool Takes(TypeDefinition implementation, HashSet<TypeDefinition> asked)
        {
            foreach (var run in runsOf[implementation].Where(asked.Add))
            {
                if (taken.TryGetValue(run, out var other) && !Takes(other, asked)) continue;
                taken[run] = implementation;
                return true;
            }

            return false;
        }
    }

    /// <summary>
    /// By using what a run may be said to use an implementation: that itself; and for an adapter, which tests make as hosts do,
    /// the registrations of its assembly that lead to it. Its options, or a helper beside it, are not it.
    /// </summary>
    private static HashSet<Dependency> DoorsTo(TypeDefinition implementation, bool isFake)
    {
        var itself = new Dependency(implementation.FullName, implementation.Module.Assembly.Name.Name);
        return isFake ? [itself] : [itself, .. implementation.Module.GetTypes().Where(type => HouseRules.IsRegistration(type) && LeadsTo(type, itself)).Select(type => itself with { Type = type.FullName })];
    }

    /// <summary>What one type of an assembly uses, directly or through others of it, such as registrations that call each other.</summary>
    private static bool LeadsTo(TypeDefinition from, Dependency wanted)
    {
        var (seen, waiting) = (new HashSet<string>(StringComparer.Ordinal), new Queue<TypeDefinition>([from]));
        while (waiting.TryDequeue(out var type))
        {
            if (!seen.Add(type.FullName)) continue;
            foreach (var dependency in Dependencies.Of(type).Where(dependency => dependency.Assembly == wanted.Assembly))
            {
                if (dependency == wanted) return true;
                if (from.Module.GetType(dependency.Type) is { } next && HouseRules.IsRegistration(next)) waiting.Enqueue(next);
            }
        }

        return false;
    }

    /// <summary>What the run uses, itself and through other types of the tests, such as a harness.</summary>
    private static HashSet<Dependency> UsedFrom(TypeDefinition run, ILookup<string, TypeDefinition> tests)
    {
        var (used, seen, waiting) = (new HashSet<Dependency>(), new HashSet<string>(StringComparer.Ordinal), new Queue<TypeDefinition>([run]));
        while (waiting.TryDequeue(out var type))
        {
            if (!seen.Add(type.FullName)) continue;
            foreach (var dependency in Dependencies.Of(type))
            {
                used.Add(dependency);
                foreach (var test in tests[dependency.Type]) waiting.Enqueue(test);
            }
        }

        return used;
    }

    private static bool IsTest(MethodDefinition method) => method.CustomAttributes.Any(attribute => attribute.AttributeType.FullName is "Xunit.FactAttribute" or "Xunit.TheoryAttribute");

    private static bool IsCatalogOf(TypeDefinition type, TypeDefinition port) =>
        type.BaseType is GenericInstanceType { ElementType.Name: "FaultCatalog`1" } catalog && catalog.GenericArguments[0].FullName == port.FullName;

    /// <summary>One that is given another of the same port stands in front of it: it must be tried as all are, and the port needs a real one behind it.</summary>
    private static bool Wraps(TypeDefinition type, TypeDefinition port) =>
        Inheritance.Ancestors(type).Prepend(type).SelectMany(own => own.Fields).Any(field => field.FieldType.FullName == port.FullName);

    private static Plane PlaneOf(TypeDefinition port) =>
        (Plane)(int)port.CustomAttributes.Single(attribute => attribute.AttributeType.FullName == Mark).ConstructorArguments[0].Value;

    private static string NounOf(TypeDefinition port) => port.Name[1..];
}
