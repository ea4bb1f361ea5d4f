using System.Text.Json.Nodes;
using Coordinator.Ports;
using Coordinator.Ports.Compute;

namespace Coordinator.Adapters.OpenCode.Launch;

/// <summary>
/// Makes OpenCode's configuration directory, anew at every start, and removes its other one, <c>~/.opencode</c>: what an
/// earlier turn's tools may have put there would be loaded as code. It holds the <see cref="OpenCodeGuard"/>, and what keeps OpenCode from fetching
/// <c>@opencode-ai/plugin</c> from the npm registry at its first use of a project. There is no switch for that; it
/// leaves a directory alone that has a node_modules folder and lists the package, and no plugin ever runs here that
/// would need it. (A read-only directory has the same effect, but not for root, who can write to it.)
/// </summary>
public static class OpenCodeHome
{
    private const string PluginPackage = "@opencode-ai/plugin";

    /// <summary>Replaces both. The home is the box's own: nothing of a person's is in it.</summary>
    /// <exception cref="PortException"><see cref="PortFailureKind.Unavailable"/>: it could not be written, as on a full disk.</exception>
    public static void Seed(AgentLaunch launch)
    {
        var root = launch.Environment.TryGetValue("XDG_CONFIG_HOME", out var configured) && configured.Length > 0
            ? configured
            : Path.Combine(launch.HomeDirectory, ".config");
        try
        {
            Remove(Path.Combine(launch.HomeDirectory, ".opencode"));
            Write(Path.Combine(root, "opencode"));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new PortException(PortFailureKind.Unavailable, $"OpenCode's configuration could not be written: {e.Message}", inner: e);
        }
    }

    private static void Write(string directory)
    {
        Remove(directory);
        Directory.CreateDirectory(Path.Combine(directory, "node_modules"));
        var guard = Path.Combine(directory, OpenCodeGuard.FileName);
        Directory.CreateDirectory(Path.GetDirectoryName(guard)!);
        File.WriteAllText(guard, OpenCodeGuard.Script);
        File.WriteAllText(Path.Combine(directory, ".gitignore"), "node_modules\npackage.json\npackage-lock.json\nbun.lock\n.gitignore\n");
        File.WriteAllText(Path.Combine(directory, "opencode.jsonc"), """{ "$schema": "https://opencode.ai/config.json" }""");
        File.WriteAllText(Path.Combine(directory, "package.json"), new JsonObject { ["dependencies"] = Dependency() }.ToJsonString());
        File.WriteAllText(Path.Combine(directory, "package-lock.json"), LockFile().ToJsonString());
    }

    private static void Remove(string path)
    {
        if (File.Exists(path)) File.Delete(path);
        else if (Directory.Exists(path)) Directory.Delete(path, recursive: true);
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
}
