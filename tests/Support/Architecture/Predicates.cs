using Mono.Cecil;

namespace Coordinator.Tests.Support.Architecture;

/// <summary>Which types a rule is about.</summary>
public sealed class Predicates
{
    private readonly IEnumerable<TypeDefinition> types;

    internal Predicates(IEnumerable<TypeDefinition> types) => this.types = types;

    /// <summary>In the namespace, or in one below it.</summary>
    public Types ResideInNamespace(string name) => Where(type => Names.IsWithin(Names.NamespaceOf(type), name));

    public Types DoNotResideInNamespace(string name) => Where(type => !Names.IsWithin(Names.NamespaceOf(type), name));

    public Types DoNotHaveName(params string[] names) => Where(type => !names.Contains(type.Name, StringComparer.Ordinal));

    public Types ArePublic() => Where(IsPublic);

    public Types AreInterfaces() => Where(type => type.IsInterface);

    public Types AreConcreteClasses() => Where(type => type is { IsClass: true, IsAbstract: false, IsValueType: false });

    /// <summary>By the attribute's full name.</summary>
    public Types HaveCustomAttribute(string name) => Where(type => type.CustomAttributes.Any(attribute => attribute.AttributeType.FullName == name));

    public Types Where(Func<TypeDefinition, bool> predicate) => new(types.Where(predicate));

    private static bool IsPublic(TypeDefinition type) => type.IsPublic || (type.IsNestedPublic && IsPublic(type.DeclaringType));
}
