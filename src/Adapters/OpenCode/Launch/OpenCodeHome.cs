using System.Text.Json.Nodes;
using Coordinator.Ports.Compute;

namespace Coordinator.Adapters.OpenCode.Launch;

/// <summary>
/// Seeds OpenCode's configuration directory so that it does not fetch <c>@opencode-ai/plugin</c> from the npm registry
/// at its first use of a project. There is no switch for that; it leaves a directory alone that has a node_modules
/// folder and lists the package, and no plugin ever runs here that would need it. (A read-only directory has the same
/// effect, but not for root, who can write to it.)
/// </summary>
public static class OpenCodeHome
{
    private const string PluginPackage = "@opencode-ai/plugin";

    /// <summary>Creates what is missing; a file that is there is left alone.</summary>
    public static void Seed(AgentLaunch launch)
    {
        var root = launch.Environment.TryGetValue("XDG_CONFIG_HOME", out var configured) && configured.Length > 0
            ? configured
            : Path.Combine(launch.HomeDirectory, ".config");
        var directory = Path.Combine(root, "opencode");
        Directory.CreateDirectory(Path.Combine(directory, "node_modules"));
        WriteOnce(Path.Combine(directory, ".gitignore"), "node_modules\npackage.json\npackage-lock.json\nbun.lock\n.gitignore\n");
        WriteOnce(Path.Combine(directory, "opencode.jsonc"), """{ "$schema": "https://opencode.ai/config.json" }""");
        WriteOnce(Path.Combine(directory, "package.json"), new JsonObject { ["dependencies"] = Dependency() }.ToJsonString());
        WriteOnce(Path.Combine(directory, "package-lock.json"), LockFile().ToJsonString());
    }

    private static JsonObject Dependency() => new() { [PluginPackage] = "*" };

    private static JsonObject LockFile() => new()
    {
        ["name"] = "opencode",
        ["lockfileVersion"] = 3,
        ["packages"] = new JsonObject
        {
            [""] = new JsonObject { ["dependencies"] = Dependency() },
            [$"node_modules/{PluginPackage}"] = new JsonObject { ["version"] = "0.0.0" },
        },
    };

    private static void WriteOnce(string path, string content)
    {
        if (!File.Exists(path)) File.WriteAllText(path, content);
    }
}
