using Mono.Cecil;

namespace Coordinator.Tests.Support.Architecture;

/// <summary>What the types of a rule must, or must not, be or do.</summary>
public sealed class Conditions
{
    private readonly IReadOnlyList<TypeDefinition> types;
    private readonly bool forbidden;

    internal Conditions(IReadOnlyList<TypeDefinition> types, bool forbidden) => (this.types, this.forbidden) = (types, forbidden);

    /// <summary>Any use, inside a method body too, of one of the types, or of a type in one of the namespaces.</summary>
    public Rule HaveDependencyOn(params string[] names) => Each("use", type => Dependencies.Of(type)
        .Where(used => names.Any(name => Names.IsWithin(used.Type, name)))
        .Select(used => used.Type));

    /// <summary>Any use of a type from another assembly that the pattern means: a name, or the beginning of one and <c>*</c>.</summary>
    public Rule HaveDependencyOnAssembly(string pattern, params string[] except) =>
        HaveDependencyOnAssembly(name => Names.Matches(name, pattern) && !except.Any(exception => Names.Matches(name, exception)));

    /// <summary>Any use of a type from another assembly whose name satisfies the predicate.</summary>
    public Rule HaveDependencyOnAssembly(Func<string, bool> means) => Each("use", type => Dependencies.Of(type)
        .Where(used => used.Assembly != type.Module.Assembly.Name.Name && means(used.Assembly))
        .Select(used => $"{used.Type} of {used.Assembly}"));

    public Rule HaveNameEndingWith(params string[] ends) => Each("be named", type => Ends(type, ends));

    public Rule HaveNameStartingWith(params string[] starts) => Each("be named", type => Starts(type, starts));

    public Rule BeSealed() => Satisfy("be sealed", type => type.IsSealed);

    /// <summary>The predicate's answer, for what has no sentence of its own; <paramref name="what"/> completes "must (not) …".</summary>
    public Rule Satisfy(string what, Func<TypeDefinition, bool> predicate) => Each(what, type => predicate(type) ? [string.Empty] : []);

    private static IEnumerable<string> Ends(TypeDefinition type, string[] ends) => ends.Where(end => Names.Plain(type).EndsWith(end, StringComparison.Ordinal)).Select(end => "*" + end);

    private static IEnumerable<string> Starts(TypeDefinition type, string[] starts) => starts.Where(start => Names.Plain(type).StartsWith(start, StringComparison.Ordinal)).Select(start => start + "*");

    private Rule Each(string verb, Func<TypeDefinition, IEnumerable<string>> evidence) => new(types, forbidden, verb, evidence);
}

/// <summary>A complete rule; nothing was looked at yet.</summary>
public sealed class Rule
{
    private readonly IReadOnlyList<TypeDefinition> types;
    private readonly bool forbidden;
    private readonly string verb;
    private readonly Func<TypeDefinition, IEnumerable<string>> evidence;

    internal Rule(IReadOnlyList<TypeDefinition> types, bool forbidden, string verb, Func<TypeDefinition, IEnumerable<string>> evidence) =>
        (this.types, this.forbidden, this.verb, this.evidence) = (types, forbidden, verb, evidence);

    /// <summary>A rule about no type at all has not held: it was said about the wrong assembly.</summary>
    public TestResult GetResult() => types.Count == 0 ? TestResult.OfNothing : new([.. types.Select(Judge).OfType<Offence>()]);

    private Offence? Judge(TypeDefinition type)
    {
        var found = evidence(type).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToArray();
        if (forbidden) return found.Length == 0 ? null : new(type.FullName, $"must not {verb} {string.Join(", ", found)}".TrimEnd());
        return found.Length > 0 ? null : new(type.FullName, $"must {verb}");
    }
}
