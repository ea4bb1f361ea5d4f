using Coordinator.Ports;
using Coordinator.Tests.Support.Architecture;
using Mono.Cecil;

namespace Coordinator.Tests.Conformance.Architecture;

/// <summary>Where the parts of the bundles are looked for.</summary>
internal sealed record BundleSources(AssemblyDefinition Ports, IReadOnlyList<AssemblyDefinition> Adapters, AssemblyDefinition Fakes, AssemblyDefinition Contracts, AssemblyDefinition Catalogs);

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
    IReadOnlyList<TypeDefinition> Untried)
{
    private const string Mark = "Coordinator.Ports.PortAttribute";

    /// <summary>The port's noun: <c>SessionJournal</c> of <c>ISessionJournal</c>.</summary>
    public string Noun => NounOf(Port);

    /// <summary>A fake keeps the thing in memory, or plays a script.</summary>
    private string[] FakeNames => [$"InMemory{Noun}", $"Scripted{Noun}"];

    /// <summary>The bundle of every interface marked as a port.</summary>
    public static IReadOnlyList<PortBundle> Find(BundleSources sources) =>
        [.. Types.InAssembly(sources.Ports).That().HaveCustomAttribute(Mark).And().AreInterfaces().GetTypes().Select(port => Of(port, sources))];

    /// <summary>Everything that is not as it should be but the catalog.</summary>
    public IEnumerable<string> Missing()
    {
        if (!Enum.IsDefined(Plane)) yield return $"{Port.Name} names no plane";
        if (Adapters.Count == 0) yield return $"{Port.Name} has no real adapter in src/Adapters";
        if (Fakes.Count == 0) yield return $"{Port.Name} has no fake in src/Fakes";
        if (Fakes.Count > 1) yield return $"{Port.Name} has more than one fake: {string.Join(", ", Fakes.Select(fake => fake.Name))}";
        foreach (var fake in Fakes.Where(fake => !FakeNames.Contains(fake.Name))) yield return $"{fake.Name} is not called what fakes are: {string.Join(" or ", FakeNames)}";
        if (Contract is null) yield return $"{Port.Name} has no abstract {Noun}Contract in tests/Conformance";
        if (Contract is not null && Runs.Count == 0) yield return $"{Noun}Contract is run against nothing";
        if (Runs.Count > 0)
            foreach (var implementation in Untried) yield return $"{Port.Name} is implemented by {implementation.FullName} of {implementation.Module.Assembly.Name.Name}, and {Noun}Contract has no run of its own against it";
    }

    /// <summary>What is missing of the fault catalog.</summary>
    public IEnumerable<string> MissingCatalog()
    {
        if (Catalog is null) yield return $"{Port.Name} has no {Noun}Faults : FaultCatalog<{Port.Name}> in tests/Faults";
    }

    private static PortBundle Of(TypeDefinition port, BundleSources sources)
    {
        var adapters = Types.InAssemblies(sources.Adapters).That().AreConcreteClasses().And().Where(type => Serves(type, port)).GetTypes();
        var fakes = Types.InAssembly(sources.Fakes).That().AreConcreteClasses().And().Where(type => Serves(type, port)).GetTypes();
        var tests = Types.InAssembly(sources.Contracts).GetTypes();
        var contract = tests.SingleOrDefault(type => type.Name == NounOf(port) + "Contract" && type.IsAbstract);
        var runs = contract is null ? [] : tests.Where(type => !type.IsAbstract && DerivesFrom(type, contract)).ToArray();
        return new(port, PlaneOf(port), adapters, fakes, contract, runs,
            Types.InAssembly(sources.Catalogs).GetTypes().SingleOrDefault(type => type.Name == NounOf(port) + "Faults" && IsCatalogOf(type, port)),
            NotRun(adapters, fakes, runs, tests));
    }

    /// <summary>
    /// What is left when every implementation takes a run of its own that uses it. One run may use several, such as an adapter
    /// over another's fake, so a run that was taken is given up when the one that took it has another.
    /// </summary>
    private static TypeDefinition[] NotRun(IReadOnlyList<TypeDefinition> adapters, IReadOnlyList<TypeDefinition> fakes, IReadOnlyList<TypeDefinition> runs, IEnumerable<TypeDefinition> tests)
    {
        var byName = tests.ToLookup(type => type.FullName);
        var used = runs.ToDictionary(run => run, run => UsedFrom(run, byName));
        var taken = new Dictionary<TypeDefinition, TypeDefinition>();
        return [.. adapters.Concat(fakes).Where(implementation => !Takes(implementation, []))];

        bool Takes(TypeDefinition implementation, HashSet<TypeDefinition> asked)
        {
            foreach (var run in runs.Where(run => Uses(used[run], implementation, fakes.Contains(implementation)) && asked.Add(run)))
            {
                if (taken.TryGetValue(run, out var other) && !Takes(other, asked)) continue;
                taken[run] = implementation;
                return true;
            }

            return false;
        }
    }

    /// <summary>A fake by its own type. Adapters by assembly: tests make them through their registrations, as hosts do.</summary>
    private static bool Uses(HashSet<Dependency> used, TypeDefinition implementation, bool isFake)
    {
        var assembly = implementation.Module.Assembly.Name.Name;
        return isFake ? used.Contains(new(implementation.FullName, assembly)) : used.Any(dependency => dependency.Assembly == assembly);
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

    private static bool IsCatalogOf(TypeDefinition type, TypeDefinition port) =>
        type.BaseType is GenericInstanceType { ElementType.Name: "FaultCatalog`1" } catalog && catalog.GenericArguments[0].FullName == port.FullName;

    /// <summary>One that only wraps another of the same port is no adapter of its own.</summary>
    private static bool Serves(TypeDefinition type, TypeDefinition port) =>
        type.Interfaces.Any(implemented => implemented.InterfaceType.FullName == port.FullName)
        && !type.Fields.Any(field => field.FieldType.FullName == port.FullName);

    private static bool DerivesFrom(TypeDefinition type, TypeDefinition ancestor)
    {
        for (var parent = type.BaseType; parent is not null; parent = (parent as TypeDefinition ?? type.Module.GetType(parent.GetElementType().FullName))?.BaseType)
        {
            if (parent.GetElementType().FullName == ancestor.FullName) return true;
        }

        return false;
    }

    private static Plane PlaneOf(TypeDefinition port) =>
        (Plane)(int)port.CustomAttributes.Single(attribute => attribute.AttributeType.FullName == Mark).ConstructorArguments[0].Value;

    private static string NounOf(TypeDefinition port) => port.Name[1..];
}
