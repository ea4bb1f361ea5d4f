using System.Text.Json;
using Coordinator.Modules.Sessions.State;
using Coordinator.Ports;
using Coordinator.Ports.Session;

namespace Coordinator.Modules.Sessions.Events;

/// <summary>The JSON shapes that events and the view have in common (docs/protocol.md).</summary>
internal static class JsonShapes
{
    public static void WritePrincipal(this Utf8JsonWriter json, string name, Principal principal)
    {
        json.WriteStartObject(name);
        json.WriteString("kind", Camel(principal.Kind));
        json.WriteString("id", principal.Id);
        json.WriteString("displayName", principal.DisplayName);
        json.WriteEndObject();
    }

    public static void WriteRepository(this Utf8JsonWriter json, RepositoryRef? repository)
    {
        if (repository is null)
        {
            json.WriteNull("repository");
            return;
        }

        json.WriteStartObject("repository");
        json.WriteString("url", repository.Url);
        json.WriteString("branch", repository.Branch);
        json.WriteEndObject();
    }

    public static void WriteUsage(this Utf8JsonWriter json, string name, ModelUsage usage)
    {
        json.WriteStartObject(name);
        json.WriteUsageFields(usage);
        json.WriteEndObject();
    }

    public static void WriteUsageFields(this Utf8JsonWriter json, ModelUsage usage)
    {
        json.WriteNumber("inputTokens", usage.InputTokens);
        json.WriteNumber("outputTokens", usage.OutputTokens);
        json.WriteNumber("reasoningTokens", usage.ReasoningTokens);
        json.WriteNumber("cacheReadTokens", usage.CacheReadTokens);
        json.WriteNumber("cacheWriteTokens", usage.CacheWriteTokens);
        json.WriteNumber("costUsd", usage.CostUsd);
    }

    /// <summary>What a question's event said, and when it expires.</summary>
    /// <summary>As it was asked, with the time it has now.</summary>
    public static void WriteQuestion(this Utf8JsonWriter json, PermissionQuestion question)
    {
        if (question.Extensions == 0)
        {
            json.WriteRawValue(question.EventData);
            return;
        }

        using var asked = JsonDocument.Parse(question.EventData);
        json.WriteStartObject();
        foreach (var property in asked.RootElement.EnumerateObject().Where(property => property.Name != "expiresAt")) property.WriteTo(json);
        json.WriteString("expiresAt", question.ExpiresAt);
        json.WriteEndObject();
    }

    /// <summary>Enum members stand in JSON as camelCase words.</summary>
    public static string Camel<T>(T value)
        where T : struct, Enum => JsonNamingPolicy.CamelCase.ConvertName(value.ToString());
}
