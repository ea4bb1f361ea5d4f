using System.CommandLine;

namespace Coordinator.Cli.Commands;

/// <summary>
/// <c>coordinator backup</c>, <c>restore</c> and <c>restored</c>: what an operator does with all that a host keeps. The host's
/// own program does it, in the folder and with the settings that the host has.
/// </summary>
internal static class MaintenanceCommands
{
    private static readonly SetUpProgram Host = new("host", "COORDINATOR_HOST", "artifacts/host/Coordinator.Host.dll");

    public static Command Backup()
    {
        var folder = new Argument<string?>("folder") { Arity = ArgumentArity.ZeroOrOne, Description = "A folder that is not there yet; default: backups/<time> in the data directory." };
        return Create("backup", "Copy the database and the artifacts into a folder, while the host serves or not.", [folder], parsed => parsed.GetValue(folder) is { } named ? [Path.GetFullPath(named)] : []);
    }

    public static Command Restore()
    {
        var folder = new Argument<string>("folder") { Description = "The folder of the backup." };
        var replace = new Option<bool>("--replace") { Description = "Give up what the embedded database holds now." };
        return Create("restore", "Put a backup in place of the database. Stop every host first.", [folder, replace], parsed => [Path.GetFullPath(parsed.GetValue(folder)!), .. parsed.GetValue(replace) ? ["--replace"] : Array.Empty<string>()]);
    }

    public static Command Restored() =>
        Create("restored", "Say that PostgreSQL's own tools restored the database, or that it failed over and lost writes, so that clients and boxes load anew. Stop every host first.", [], _ => []);

    private static Command Create(string verb, string description, Symbol[] own, Func<ParseResult, string[]> words)
    {
        var root = new Option<string>("--root") { DefaultValueFactory = _ => Directory.GetCurrentDirectory(), Description = "The folder that the host is started in." };
        var settings = new Option<string[]>("--set") { Description = "A setting that the host has on its command line, such as DataDirectory=/srv/coordinator; may be repeated." };
        var command = new Command(verb, description) { root, settings };
        foreach (var symbol in own)
        {
            if (symbol is Argument argument) command.Add(argument);
            else if (symbol is Option option) command.Add(option);
        }

        command.SetAction(parsed =>
        {
            var (folder, arguments) = (Path.GetFullPath(parsed.GetValue(root)!), words(parsed));
            Directory.SetCurrentDirectory(folder); // where relative settings begin
            return Host.Become(folder, [verb, .. arguments, .. SetUpProgram.Settings(parsed.GetValue(settings))]);
        });
        return command;
    }
}
