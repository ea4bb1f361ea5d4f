using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Reflection;
using Microsoft.Extensions.Options;

namespace Coordinator.Starting;

/// <summary>
/// Looks at every setting that an options class holds before it is bound: binding stops at the first that it cannot read, and
/// names neither the others nor what it must be. A class of options says by its constant <c>Section</c> where it is read from.
/// </summary>
internal static class SettingForms
{
    private const string Section = "Section";
    private const string Product = "Coordinator.";

    /// <summary>Finds the settings that cannot be read, or lie outside what their property allows.</summary>
    public static void Check(IServiceCollection services, ConfigurationManager configuration, WrongSettings wrong)
    {
        foreach (var (section, type) in Bound(services))
            foreach (var (key, line, instead) in FaultsIn(configuration.GetSection(section), Activator.CreateInstance(type)!).ToList()) wrong.Replace(configuration, key, instead, line);
    }

    /// <summary>The classes of options that are bound, each with its section.</summary>
    public static List<(string Section, Type Type)> Bound(IServiceCollection services) => services
        .Select(service => service.ServiceType)
        .Where(type => type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IConfigureOptions<>))
        .Select(type => type.GetGenericArguments()[0])
        .Where(type => type.FullName!.StartsWith(Product, StringComparison.Ordinal))
        .Distinct()
        .Select(type => (Section: type.GetField(Section, BindingFlags.Public | BindingFlags.Static)?.GetRawConstantValue() as string, Type: type))
        .Where(bound => bound.Section is not null)
        .Select(bound => (bound.Section!, bound.Type))
        .ToList();

    private static IEnumerable<(string Key, string Line, string? Instead)> FaultsIn(IConfigurationSection section, object unset)
    {
        foreach (var property in unset.GetType().GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(property => property.GetIndexParameters().Length == 0))
        {
            var set = section.GetSection(property.Name);
            if (!set.Exists()) continue;
            if (TypeDescriptor.GetConverter(property.PropertyType).CanConvertFrom(typeof(string)))
            {
                if (property.SetMethod is { IsPublic: true } && set.Value is { } text && WhatItMustBe(text, property) is { } form)
                    yield return (set.Path, $"{set.Path} is '{text}'; it must be {form}.", Text(property.GetValue(unset)));
            }
            else
            {
                foreach (var fault in FaultsBelow(set, property.GetValue(unset), property.PropertyType)) yield return fault;
            }
        }
    }

    /// <summary>Options in options, and options by name.</summary>
    private static IEnumerable<(string Key, string Line, string? Instead)> FaultsBelow(IConfigurationSection section, object? unset, Type type)
    {
        if (OptionsByName(type) is { } named) return section.GetChildren().SelectMany(child => FaultsIn(child, Activator.CreateInstance(named)!));
        return unset is not null && IsOptions(type) ? FaultsIn(section, unset) : [];
    }

    /// <summary>The options that a dictionary of them holds; null of another type.</summary>
    public static Type? OptionsByName(Type type) => type.IsGenericType && type.GetGenericArguments() is [_, { IsClass: true } named] && IsOptions(named) ? named : null;

    /// <summary>Whether it is a class of options, and no value.</summary>
    public static bool IsOptions(Type type) => type.Namespace?.StartsWith(Product, StringComparison.Ordinal) == true && type.GetConstructor([]) is not null;

    /// <summary>Null when it is. What is no string and left empty, as by a file of variables that nobody filled in, is not set: binding passes it over.</summary>
    private static string? WhatItMustBe(string text, PropertyInfo property)
    {
        if (text.Length == 0 && property.PropertyType != typeof(string)) return null;
        var type = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
        try
        {
            var value = TypeDescriptor.GetConverter(property.PropertyType).ConvertFromInvariantString(text);
            if (IsWhole(type) && value is not null && !long.TryParse(text, NumberStyles.Integer, CultureInfo.InvariantCulture, out _)) return FormOf(type); // hexadecimal, which binding does not read
            return property.GetCustomAttribute<RangeAttribute>() is { } range && !range.IsValid(value) ? $"from {Text(range.Minimum)} to {Text(range.Maximum)}" : null;
        }
        catch (Exception failure) when (failure is FormatException or ArgumentException or OverflowException or NotSupportedException)
        {
            return FormOf(type);
        }
    }

    private static string FormOf(Type type) => type switch
    {
        { IsEnum: true } => $"one of {string.Join(", ", Enum.GetNames(type))}",
        _ when type == typeof(bool) => "true or false",
        _ when type == typeof(TimeSpan) => "a time such as 00:00:30 (hours:minutes:seconds) or 1.00:00:00 (a day)",
        _ when type == typeof(Uri) => "an address",
        _ when IsWhole(type) => $"a whole number, at most {Text(type.GetField("MaxValue")!.GetValue(null))}",
        _ => "a number",
    };

    private static bool IsWhole(Type type) => type == typeof(int) || type == typeof(long);

    private static string? Text(object? value) => Convert.ToString(value, CultureInfo.InvariantCulture);
}
