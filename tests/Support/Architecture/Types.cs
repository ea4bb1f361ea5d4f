using Mono.Cecil;

namespace Coordinator.Tests.Support.Architecture;

/// <summary>
/// Types of compiled assemblies, to say a rule about: <c>Types.InAssembly(a).That().ResideInNamespace("X").ShouldNot().HaveDependencyOn("Y").GetResult()</c>.
/// In the call shape of NetArchTest.Rules, for which it stands in. What the compiler made (closures, state machines) is no
/// type of its own here: its uses count as those of the type it was made for.
/// </summary>
public sealed class Types
{
    private readonly IReadOnlyList<TypeDefinition> types;

    internal Types(IEnumerable<TypeDefinition> types) => this.types = [.. types];

    /// <summary>Every type somebody wrote in an assembly.</summary>
    public static Types InAssembly(AssemblyDefinition assembly) => InAssemblies([assembly]);

    /// <summary>Every type somebody wrote in the assemblies.</summary>
    public static Types InAssemblies(IEnumerable<AssemblyDefinition> assemblies) =>
        new(assemblies.SelectMany(assembly => assembly.Modules).SelectMany(module => module.GetTypes()).Where(IsWritten));

    /// <summary>Begins to narrow the types the rule is about.</summary>
    public Predicates That() => new(types);

    /// <summary>Narrows them further.</summary>
    public Predicates And() => new(types);

    /// <summary>What each of the types must be or do.</summary>
    public Conditions Should() => new(types, forbidden: false);

    /// <summary>What none of the types may be or do.</summary>
    public Conditions ShouldNot() => new(types, forbidden: true);

    public IReadOnlyList<TypeDefinition> GetTypes() => types;

    private static bool IsWritten(TypeDefinition type)
    {
        for (var outer = type; outer is not null; outer = outer.DeclaringType)
        {
            if (outer.Name.Contains('<', StringComparison.Ordinal) || outer.CustomAttributes.Any(IsGeneratedMark)) return false;
        }

        return true;
    }

    private static bool IsGeneratedMark(CustomAttribute attribute) =>
        attribute.AttributeType.FullName is "System.Runtime.CompilerServices.CompilerGeneratedAttribute" or "Microsoft.CodeAnalysis.EmbeddedAttribute";
}
