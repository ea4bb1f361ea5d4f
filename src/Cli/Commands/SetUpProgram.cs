using System.Runtime.InteropServices;

namespace Coordinator.Cli.Commands;

/// <summary>
/// A program that stands beside this one where Coordinator was set up. The command becomes it, so that signals and the exit
/// code are its own.
/// </summary>
/// <param name="Name">What it is, in words.</param>
/// <param name="Variable">The environment variable that names it elsewhere.</param>
/// <param name="File">Where it is below the folder of the setup.</param>
internal sealed partial record SetUpProgram(string Name, string Variable, string File)
{
    /// <summary>Returns only when it fails, with the exit code.</summary>
    public int Become(string root, IEnumerable<string> arguments)
    {
        var program = Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } named ? named : Path.Combine(root, File);
        if (!System.IO.File.Exists(program))
        {
            Terminal.Error($"The {Name} is not at {program}: build it with './run.sh --setup', or name it in {Variable}.");
            return 1;
        }

        string?[] command = ["dotnet", program, .. arguments, null];
        _ = Execute("dotnet", command);
        Terminal.Error($"dotnet could not be started (error {Marshal.GetLastPInvokeError()}).");
        return 1;
    }

    /// <summary>Settings as the programs read them, dashes before them or not.</summary>
    public static IEnumerable<string> Settings(IEnumerable<string>? given) => (given ?? []).Select(setting => setting.StartsWith('-') ? setting : $"--{setting}");

    [LibraryImport("libc", EntryPoint = "execvp", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Execute(string file, string?[] arguments);
}
