using System.Globalization;
using Coordinator.Adapters.FileSystem;
using Coordinator.Adapters.Postgres;
using Coordinator.Adapters.Postgres.Backup;
using Coordinator.Host.Composition;
using Coordinator.Ports;

namespace Coordinator.Host.Maintenance;

/// <summary>
/// What the host's program does in place of serving when its first word is a verb: <c>backup [folder]</c>,
/// <c>restore folder [--replace]</c>, <c>restored</c>. It reads the host's own settings, so it meets the host's own data.
/// </summary>
internal sealed class MaintenanceCommand(IConfiguration configuration, DatabaseBackup database, TimeProvider time)
{
    private const string Replace = "--replace";

    private static readonly string[] Verbs = ["backup", "restore", "restored"];

    /// <summary>True when the words ask for this and not for a host that serves.</summary>
    public static bool IsMeantBy(string[] args) => args.Length > 0 && Verbs.Contains(args[0], StringComparer.Ordinal);

    /// <summary>Does it and says what it did. The result is the process's exit code.</summary>
    public static async Task<int> RunAsync(string[] args)
    {
        var folder = args.Length > 1 && !args[1].StartsWith('-') ? args[1] : null;
        var settings = args.Skip(folder is null ? 1 : 2).Where(word => word != Replace).ToArray();
        var interrupted = new CancellationTokenSource(); // whoever interrupts may do so until the process has ended
        Console.CancelKeyPress += (_, pressed) =>
        {
            pressed.Cancel = true;
            interrupted.Cancel();
        };
        try
        {
            await using var services = Build(settings);
            var command = services.GetRequiredService<MaintenanceCommand>();
            await Console.Out.WriteLineAsync(args[0] switch
            {
                "backup" => await command.BackUpAsync(folder, interrupted.Token),
                "restore" => await command.RestoreAsync(folder, args.Contains(Replace, StringComparer.Ordinal), interrupted.Token),
                _ => await command.SayRestoredAsync(interrupted.Token),
            });
            return ExitCodes.Stopped;
        }
        catch (PortException failure)
        {
            await Console.Error.WriteLineAsync(failure.Message);
            return ExitCodes.Failed;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or OperationCanceledException)
        {
            await Console.Error.WriteLineAsync($"It was not finished: {failure.Message}");
            return ExitCodes.Failed;
        }
        catch (Exception failure) when (StartFailure.Explain(failure, StartingProgram.Host) is { } explained)
        {
            await Console.Error.WriteLineAsync(explained.Text);
            return explained.ExitCode;
        }
    }

    private string ArtifactStore => Path.GetFullPath(configuration[$"{FileArtifactOptions.Section}:Directory"]!);

    private string MasterKey => string.IsNullOrEmpty(configuration["Vault:MasterKey"]) ? Path.GetFullPath(configuration["Vault:KeyFile"]!) : "in the setting Vault:MasterKey";

    private static ServiceProvider Build(string[] settings)
    {
        var configuration = new ConfigurationManager();
        HostConfiguration.Apply(configuration, settings, new()); // what only a host that serves reads is nothing to this
        var services = new ServiceCollection();
        services.AddLogging(logging =>
        {
            logging.AddConfiguration(configuration.GetSection("Logging"));
            HostConfiguration.Apply(logging);
            logging.SetMinimumLevel(LogLevel.Warning);
        });
        services.AddSingleton<IConfiguration>(configuration).AddPostgres(configuration).AddSingleton<MaintenanceCommand>();
        var wrong = new WrongSettings();
        SettingForms.Check(services, configuration, wrong);
        return wrong.Found.Count == 0 ? services.BuildServiceProvider() : throw new MisconfiguredException(wrong.Found);
    }

    private async Task<string> BackUpAsync(string? named, CancellationToken cancellationToken)
    {
        var folder = new BackupFolder(Path.GetFullPath(named ?? Path.Combine(configuration[HostConfiguration.DataDirectoryKey]!, "backups", time.GetUtcNow().ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture))));
        await database.DemandOneAsync(cancellationToken); // before anything is made
        var (sessions, artifacts) = (0L, 0);
        await folder.MakeAsync(async unfinished =>
        {
            sessions = await database.WriteAsync(unfinished.Database, cancellationToken);
            artifacts = unfinished.TakeArtifacts(ArtifactStore, cancellationToken);
        });
        return string.Create(CultureInfo.InvariantCulture, $"""
            Backed up {sessions} sessions and {artifacts} artifacts to {folder.Path}
            The master key is not in it: {MasterKey}. Keep a copy of the key elsewhere; without it the secrets in the backup cannot be opened.
            """);
    }

    private async Task<string> RestoreAsync(string? named, bool replace, CancellationToken cancellationToken)
    {
        if (named is null) throw new PortException(PortFailureKind.Rejected, "Name the folder of the backup: restore <folder>.");
        var folder = new BackupFolder(Path.GetFullPath(named));
        await database.DemandPlaceAsync(replace, cancellationToken); // before anything is written
        var artifacts = folder.GiveArtifacts(ArtifactStore, cancellationToken); // first: what the database refers to must be there
        var sessions = await database.RestoreAsync(folder.Database, replace, cancellationToken);
        return string.Create(CultureInfo.InvariantCulture, $"""
            Restored {sessions} sessions and {artifacts} artifacts that were missing from {folder.Path}
            Secrets need the master key they were sealed under: {MasterKey}.
            Clients and boxes are told to load anew. What was revoked since the backup is valid again: look at the API keys and members.
            """);
    }

    private async Task<string> SayRestoredAsync(CancellationToken cancellationToken)
    {
        var sessions = await database.SayRestoredAsync(cancellationToken);
        return string.Create(CultureInfo.InvariantCulture, $"The clients and boxes of {sessions} sessions will be told that the database went back, and load anew.");
    }
}
