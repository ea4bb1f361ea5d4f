using System.Collections;
using System.Globalization;
using System.Reflection;
using Coordinator.Tests.Conformance.Architecture;

namespace Coordinator.Tests.Conformance.Documents;

/// <summary>One setting: its key in configuration, what it is when nobody sets it, and what its comment says.</summary>
internal sealed record OptionKey(string Key, string Default, string? Meaning);

/// <summary>A class of options and all keys below its section.</summary>
internal sealed record OptionSection(string Section, string? Meaning, IReadOnlyList<OptionKey> Keys);

/// <summary>Every setting the product's options classes know, found by their constant <c>Section</c>.</summary>
internal static class OptionKeys
{
    private const string SectionConstant = "Section";

    public static IReadOnlyList<OptionSection> All() => [.. House.Built.Assemblies
        .Select(assembly => assembly.Definition.Name.Name)
        .Select(name => Assembly.Load(new AssemblyName(name)))
        .SelectMany(assembly => assembly.GetTypes())
        .Where(type => type.Name.EndsWith("Options", StringComparison.Ordinal) && SectionOf(type) is not null)
        .Select(Read)
        .OrderBy(section => section.Section, StringComparer.Ordinal)];

    private static OptionSection Read(Type type)
    {
        var comments = CodeComments.Of(type.Assembly.GetName().Name!);
        return new(SectionOf(type)!, comments.Summary("T:" + type.FullName), [.. KeysOf(SectionOf(type)!, type, comments)]);
    }

    private static string? SectionOf(Type type) => type.GetField(SectionConstant, BindingFlags.Public | BindingFlags.Static)?.GetRawConstantValue() as string;

    private static IEnumerable<OptionKey> KeysOf(string prefix, Type type, CodeComments comments)
    {
        var unset = Activator.CreateInstance(type);
        foreach (var property in type.GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(IsBound).OrderBy(property => property.MetadataToken))
        {
            var key = $"{prefix}:{property.Name}";
            if (IsOptions(property.PropertyType))
            {
                foreach (var inner in KeysOf(key, property.PropertyType, comments)) yield return inner;
            }
            else if (ValueOptions(property.PropertyType) is { } valueType)
            {
                foreach (var inner in KeysOf($"{key}:<name>", valueType, comments)) yield return inner;
            }
            else
            {
                yield return new(key + Suffix(property.PropertyType), Default(property.GetValue(unset)), comments.Summary($"P:{type.FullName}.{property.Name}"));
            }
        }
    }

    /// <summary>What has a setter, or is a collection that configuration adds to.</summary>
    private static bool IsBound(PropertyInfo property) => property.SetMethod?.IsPublic == true || (property.PropertyType != typeof(string) && typeof(IEnumerable).IsAssignableFrom(property.PropertyType));

    private static bool IsOptions(Type type) => type.Name.EndsWith("Options", StringComparison.Ordinal);

    private static Type? ValueOptions(Type type) => type.IsGenericType && type.GetGenericArguments() is [_, var value] && IsOptions(value) ? value : null;

    private static string Suffix(Type type)
    {
        if (type == typeof(string) || !typeof(IEnumerable).IsAssignableFrom(type)) return string.Empty;
        if (!type.IsGenericType || type.GetGenericArguments() is not [_, var value]) return ":<n>";
        return value == typeof(string) ? ":<name>" : ":<name>:<n>";
    }

    private static string Default(object? value) => value switch
    {
        null => "unset",
        string text => text.Length == 0 ? "unset" : $"`{text}`",
        bool flag => flag ? "`true`" : "`false`",
        TimeSpan time => $"`{time.ToString("c", CultureInfo.InvariantCulture)}`",
        IEnumerable values => string.Join(", ", values.Cast<object>().Select(item => $"`{item}`")) is { Length: > 0 } list ? list : "none",
        IFormattable number => $"`{number.ToString(null, CultureInfo.InvariantCulture)}`",
        _ => $"`{value}`",
    };
}
