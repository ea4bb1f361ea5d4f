using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage.ValueConversion;

namespace Coordinator.Adapters.Postgres;

/// <summary>Names columns as the SQL migrations do, and writes enums as their snake_case names.</summary>
internal static class SnakeCaseModel
{
    /// <summary>Gives every mapped property its column's name.</summary>
    public static void NameColumns(ModelBuilder model)
    {
        foreach (var property in model.Model.GetEntityTypes().SelectMany(entity => entity.GetProperties()))
            property.SetColumnName(JsonNamingPolicy.SnakeCaseLower.ConvertName(property.Name));
    }

    /// <summary>An enum as its snake_case name.</summary>
    public static ValueConverter<TEnum, string> Names<TEnum>()
        where TEnum : struct, Enum => new(value => SnakeCaseName<TEnum>.Of(value), name => SnakeCaseName<TEnum>.Parse(name));
}

/// <summary>An enum's values by the names they have in the database.</summary>
internal static class SnakeCaseName<TEnum>
    where TEnum : struct, Enum
{
    private static readonly Dictionary<TEnum, string> ByValue = Enum.GetValues<TEnum>().ToDictionary(value => value, value => JsonNamingPolicy.SnakeCaseLower.ConvertName(value.ToString()));
    private static readonly Dictionary<string, TEnum> ByName = ByValue.ToDictionary(pair => pair.Value, pair => pair.Key, StringComparer.Ordinal);

    public static string Of(TEnum value) => ByValue[value];

    public static TEnum Parse(string name) => ByName[name];
}
