using System.CommandLine;
using System.Runtime.InteropServices;

namespace Coordinator.Cli.Commands;

/// <summary>
/// <c>coordinator sandbox-host</c>: offers this machine's boxes to control planes elsewhere. The program is one of its own;
/// this command becomes it, so that signals and the exit code are its own too.
/// </summary>
internal static partial class SandboxHostCommand
{
    private const string ProgramVariable = "COORDINATOR_SANDBOX_HOST";

    public static Command Create()
    {
        var root = new Option<string>("--root") { DefaultValueFactory = _ => Directory.GetCurrentDirectory(), Description = "The folder Coordinator was set up in, where the box's program and the agent are." };
        var settings = new Argument<string[]>("settings") { Arity = ArgumentArity.ZeroOrMore, Description = "Settings such as SandboxHost:Keys:main=<secret>; docs/sandboxes.md. Secrets are better given as environment variables." };
        var command = new Command("sandbox-host", "Offer this machine's boxes to control planes elsewhere.") { root, settings };
        command.SetAction(parsed => Become(Path.GetFullPath(parsed.GetValue(root)!), parsed.GetValue(settings) ?? []));
        return command;
    }

    private static int Become(string root, string[] settings)
    {
        var program = Environment.GetEnvironmentVariable(ProgramVariable) is { Length: > 0 } named ? named : Path.Combine(root, "artifacts", "sandbox-host", "Coordinator.SandboxHost.dll");
        if (!File.Exists(program))
        {
            Terminal.Error($"The sandbox host is not at {program}: build it with './run.sh --setup', or name it in {ProgramVariable}.");
            return 1;
        }

        string?[] command = ["dotnet", program, .. Defaults(root), .. settings.Select(setting => setting.StartsWith('-') ? setting : $"--{setting}"), null];
        _ = Execute("dotnet", command);
        Terminal.Error($"dotnet could not be started (error {Marshal.GetLastPInvokeError()}).");
        return 1;
    }

    /// <summary>What <c>run.sh</c> sets for the host, where the environment does not say otherwise.</summary>
    private static IEnumerable<string> Defaults(string root)
    {
        var architecture = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? "arm64" : "x64";
        (string Key, string File)[] found =
        [
            ("Sandbox:Local:BoxProgram", Path.Combine(root, "artifacts", "box", "coordinator-box")),
            ("Sandbox:Local:Agents:opencode", Path.Combine(root, "node_modules", $"opencode-linux-{architecture}", "bin", "opencode")),
        ];
        foreach (var (key, file) in found)
        {
            var variable = key.Replace(":", "__", StringComparison.Ordinal);
            if (Environment.GetEnvironmentVariable(variable) is null && Environment.GetEnvironmentVariable($"COORDINATOR_{variable}") is null && File.Exists(file)) yield return $"--{key}={file}";
        }
    }

    /// <summary>Returns only when it fails.</summary>
    [LibraryImport("libc", EntryPoint = "execvp", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Execute(string file, string?[] arguments);
}
