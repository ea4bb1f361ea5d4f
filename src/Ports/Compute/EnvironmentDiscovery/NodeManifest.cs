using System.Text.Json;

namespace Coordinator.Ports.Compute;

/// <summary>The parts of a <c>package.json</c> that discovery needs.</summary>
internal sealed record NodeManifest(string? Name, string? PackageManager, string? NodeVersion, IReadOnlyDictionary<string, string> Scripts, IReadOnlyList<string> Workspaces)
{
    /// <summary>What <c>npm init</c> writes in place of a test.</summary>
    private const string NoTest = "no test specified";

    public static NodeManifest? Read(RepositoryFiles files, string path)
    {
        if (files.Json(path) is not { } json) return null;
        return new NodeManifest(
            RepositoryFiles.Find(json, "name"),
            RepositoryFiles.Find(json, "packageManager")?.Split('@')[0],
            RepositoryFiles.Find(json, "engines", "node"),
            ReadScripts(json),
            ReadWorkspaces(json));
    }

    public bool Has(string script) => Scripts.ContainsKey(script);

    private static Dictionary<string, string> ReadScripts(JsonElement json)
    {
        var scripts = new Dictionary<string, string>(StringComparer.Ordinal);
        if (!json.TryGetProperty("scripts", out var declared) || declared.ValueKind != JsonValueKind.Object) return scripts;
        foreach (var script in declared.EnumerateObject())
        {
            if (script.Value.ValueKind == JsonValueKind.String && !script.Value.GetString()!.Contains(NoTest, StringComparison.Ordinal))
            {
                scripts[script.Name] = script.Value.GetString()!;
            }
        }

        return scripts;
    }

    private static string[] ReadWorkspaces(JsonElement json)
    {
        if (!json.TryGetProperty("workspaces", out var workspaces)) return [];
        if (workspaces.ValueKind == JsonValueKind.Object && workspaces.TryGetProperty("packages", out var packages)) workspaces = packages;
        return Strings(workspaces);
    }

    public static string[] Strings(JsonElement array) => array.ValueKind != JsonValueKind.Array
        ? []
        : array.EnumerateArray().Where(item => item.ValueKind == JsonValueKind.String).Select(item => item.GetString()!).ToArray();
}
