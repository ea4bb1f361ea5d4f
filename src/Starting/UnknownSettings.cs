using System.Collections;
using System.Reflection;
using Microsoft.Extensions.Configuration;

namespace Coordinator.Starting;

/// <summary>A key that no setting has, and the setting that was probably meant.</summary>
internal sealed record UnknownSetting(string Key, string? Near);

/// <summary>
/// Finds the keys that configuration holds under the program's own sections and that no options class has: binding passes them
/// over without a word. What somebody keeps under other sections is not looked at, and no value ever.
/// </summary>
internal static class UnknownSettings
{
    /// <param name="bound">The classes of options, each with its section.</param>
    /// <param name="others">Settings that no class of options holds; what is below them is theirs.</param>
    public static IReadOnlyList<UnknownSetting> Find(IConfiguration configuration, IEnumerable<(string Section, Type Type)> bound, params IEnumerable<string> others)
    {
        List<KnownSetting> known = [.. bound.SelectMany(options => SettingsIn(options.Section.Split(':'), options.Type)), .. others.Select(key => new KnownSetting(key.Split(':'), true))];
        return [.. known.Select(setting => setting.Names[0]).Distinct(StringComparer.OrdinalIgnoreCase)
            .SelectMany(section => LeavesOf(configuration.GetSection(section)))
            .Select(leaf => (Key: $"{leaf.Path}", Names: leaf.Path.Split(':'), IsEmpty: string.IsNullOrEmpty(leaf.Value)))
            .Where(leaf => leaf.Names.Length > 1 && !known.Exists(setting => setting.Is(leaf.Names) || (leaf.IsEmpty && setting.IsBelow(leaf.Names))))
            .Select(leaf => new UnknownSetting(leaf.Key, Near(leaf.Names, known)))];
    }

    private static IEnumerable<IConfigurationSection> LeavesOf(IConfigurationSection section) =>
        section.GetChildren().ToList() is { Count: > 0 } children ? children.SelectMany(LeavesOf) : [section];

    private static IEnumerable<KnownSetting> SettingsIn(string[] section, Type type)
    {
        foreach (var property in type.GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(property => property.GetIndexParameters().Length == 0))
        {
            string[] names = [.. section, property.Name];
            var isCollection = property.PropertyType != typeof(string) && typeof(IEnumerable).IsAssignableFrom(property.PropertyType);
            if (SettingForms.IsOptions(property.PropertyType))
            {
                foreach (var below in SettingsIn(names, property.PropertyType)) yield return below;
            }
            else if (SettingForms.OptionsByName(property.PropertyType) is { } named)
            {
                foreach (var below in SettingsIn([.. names, KnownSetting.AnyName], named)) yield return below;
            }
            else if (isCollection || property.SetMethod is { IsPublic: true })
            {
                yield return new(names, isCollection);
            }
        }
    }

    /// <summary>The one that is written nearly so; else the one that this goes too far below; else the only one in the same section that has this name elsewhere.</summary>
    private static string? Near(string[] names, List<KnownSetting> known)
    {
        var near = known.Select(setting => (Setting: setting, Distance: setting.DistanceTo(names))).Where(one => one.Distance is not null).OrderBy(one => one.Distance).Select(one => one.Setting).FirstOrDefault()
            ?? known.Find(setting => setting.Names.Length < names.Length && setting.Is(names[..setting.Names.Length]));
        if (near is not null) return near.Spelled(names);
        var elsewhere = known.Where(setting => KnownSetting.IsSame(setting.Names[0], names[0]) && KnownSetting.IsSame(setting.Names[^1], names[^1])).ToList();
        return elsewhere is [{ HasAnyName: false } only] ? only.Spelled(names) : null;
    }
}
