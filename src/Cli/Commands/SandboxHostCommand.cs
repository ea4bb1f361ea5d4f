using System.CommandLine;

namespace Coordinator.Cli.Commands;

/// <summary>
/// <c>coordinator sandbox-host</c>: offers this machine's boxes to control planes elsewhere, by a program of its own.
/// </summary>
internal static class SandboxHostCommand
{
    private static readonly SetUpProgram Program = new("sandbox host", "COORDINATOR_SANDBOX_HOST", "artifacts/sandbox-host/Coordinator.SandboxHost.dll");

    public static Command Create()
    {
        var root = new Option<string>("--root") { DefaultValueFactory = _ => Directory.GetCurrentDirectory(), Description = "The folder Coordinator was set up in, where the box's program and the agent are." };
        var settings = new Argument<string[]>("settings") { Arity = ArgumentArity.ZeroOrMore, Description = "Settings such as SandboxHost:Keys:main=<secret>; docs/sandboxes.md. Secrets are better given as environment variables." };
        var command = new Command("sandbox-host", "Offer this machine's boxes to control planes elsewhere.") { root, settings };
        command.SetAction(parsed =>
        {
            var folder = Path.GetFullPath(parsed.GetValue(root)!);
            return Program.Become(folder, [.. Defaults(folder), .. SetUpProgram.Settings(parsed.GetValue(settings))]);
        });
        return command;
    }

    /// <summary>What <c>run.sh</c> sets for the host, where the environment does not say otherwise.</summary>
    private static IEnumerable<string> Defaults(string root)
    {
        (string Key, string File)[] found =
        [
            ("Sandbox:Local:BoxProgram", Path.Combine(root, "artifacts", "box", "coordinator-box")),
            ("Sandbox:Local:Agents:opencode", SetUpAgent.In(root)),
        ];
        foreach (var (key, file) in found)
        {
            var variable = key.Replace(":", "__", StringComparison.Ordinal);
            if (Environment.GetEnvironmentVariable(variable) is null && Environment.GetEnvironmentVariable($"COORDINATOR_{variable}") is null && File.Exists(file)) yield return $"--{key}={file}";
        }
    }
}
