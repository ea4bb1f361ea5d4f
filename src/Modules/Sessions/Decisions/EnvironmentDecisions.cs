using System.Text.Json;
using Coordinator.Modules.Sessions.Facts;

namespace Coordinator.Modules.Sessions.Decisions;

/// <summary>
/// The repository's environment, as discovered at boot: shown when it differs from the last one, this session's own or
/// that of the repository's session before it.
/// </summary>
internal static class EnvironmentDecisions
{
    public static void Detected(Turn turn, JsonElement data)
    {
        if (!data.TryGetProperty("environment", out var environment) || environment.ValueKind != JsonValueKind.Object) return;
        var known = turn.State.Environment ?? turn.State.KnownEnvironment;
        var changes = Changes(known, environment);

        // The first discovery is kept even when it brings nothing new: the next session compares with what this one saw.
        if (changes.Count > 0 || turn.State.Environment is null) turn.Record(new Fact.EnvironmentDetected(environment.GetRawText()));
        if (changes.Count == 0) return;
        turn.Show("environment.changed", null, writer =>
        {
            writer.WritePropertyName("environment");
            environment.WriteTo(writer);
            writer.WriteStartArray("changes");
            foreach (var change in changes) writer.WriteStringValue(change);
            writer.WriteEndArray();
            if (known is null) writer.WriteBoolean("first", true);
        });
    }

    /// <summary>The names of what is new or different; the commit alone is no change of environment.</summary>
    private static List<string> Changes(string? before, JsonElement after)
    {
        using var old = before is null ? null : JsonDocument.Parse(before);
        return
        [
            .. after.EnumerateObject()
                .Where(p => p.Name != "commit" && !(old is not null && old.RootElement.TryGetProperty(p.Name, out var was) && JsonElement.DeepEquals(was, p.Value)))
                .Select(p => p.Name),
        ];
    }
}
