using Mono.Cecil;

namespace Coordinator.Tests.Conformance.Architecture;

/// <summary>What a type is by what it derives from, as far as its own assembly says; rules forbid adapters and fakes to derive from others.</summary>
internal static class Inheritance
{
    /// <summary>The base classes in the same assembly, the nearest first.</summary>
    public static IEnumerable<TypeDefinition> Ancestors(TypeDefinition type)
    {
        for (var parent = BaseOf(type); parent is not null; parent = BaseOf(parent)) yield return parent;
    }

    /// <summary>The full names of all interfaces: its own, those of its base classes, and those that interfaces of the same assembly extend.</summary>
    public static IReadOnlySet<string> InterfacesOf(TypeDefinition type)
    {
        var (found, waiting) = (new HashSet<string>(StringComparer.Ordinal), new Queue<TypeDefinition>(Ancestors(type).Prepend(type)));
        while (waiting.TryDequeue(out var next))
        {
            foreach (var implemented in next.Interfaces.Select(implemented => implemented.InterfaceType.GetElementType()).Where(implemented => found.Add(implemented.FullName)))
            {
                if (type.Module.GetType(implemented.FullName) is { } here) waiting.Enqueue(here);
            }
        }

        return found;
    }

    public static bool Implements(TypeDefinition type, TypeDefinition port) => InterfacesOf(type).Contains(port.FullName);

    private static TypeDefinition? BaseOf(TypeDefinition type) =>
        type.BaseType is { } parent ? parent as TypeDefinition ?? type.Module.GetType(parent.GetElementType().FullName) : null;
}
