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
        where TEnum : struct, Enum
    {
        var byValue = Enum.GetValues<TEnum>().ToDictionary(value => value, value => JsonNamingPolicy.SnakeCaseLower.ConvertName(value.ToString()));
        var byName = byValue.ToDictionary(pair => pair.Value, pair => pair.Key);
        return new(value => byValue[value], name => byName[name]);
    }
}
