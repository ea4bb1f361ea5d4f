using Mono.Cecil;

namespace Coordinator.Tests.Support.Architecture;

/// <summary>How rules compare names.</summary>
internal static class Names
{
    /// <summary>The name is the other, or lies in it: a namespace below it, a type in it, a type nested in it.</summary>
    public static bool IsWithin(string name, string other) =>
        name.StartsWith(other, StringComparison.Ordinal) && (name.Length == other.Length || name[other.Length] is '.' or '/' or '`');

    /// <summary>The name is the pattern, or begins with what stands before its <c>*</c>.</summary>
    public static bool Matches(string name, string pattern) => pattern.EndsWith('*')
        ? name.StartsWith(pattern[..^1], StringComparison.OrdinalIgnoreCase)
        : string.Equals(name, pattern, StringComparison.OrdinalIgnoreCase);

    public static string NamespaceOf(TypeDefinition type)
    {
        var outer = type;
        while (outer.DeclaringType is { } declaring) outer = declaring;
        return outer.Namespace;
    }

    /// <summary>Without the mark of how many type parameters there are.</summary>
    public static string Plain(TypeDefinition type) => type.Name.Split('`')[0];
}
