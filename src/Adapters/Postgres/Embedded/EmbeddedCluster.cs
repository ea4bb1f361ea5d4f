using System.Globalization;
using Microsoft.Extensions.Logging;

namespace Coordinator.Adapters.Postgres.Embedded;

/// <summary>Folders that are right, programs that fit, and a data folder that initdb has finished: all before a start.</summary>
internal sealed partial class EmbeddedCluster(EmbeddedOptions options, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan ShortTimeout = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan InitTimeout = TimeSpan.FromMinutes(2);
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <summary>Chooses the server's user and the folder, makes it, and returns where things are.</summary>
    public async Task<(EmbeddedLayout Layout, DatabaseUser? User)> PrepareFolderAsync(CancellationToken cancellationToken)
    {
        var layout = EmbeddedLayout.For(options);
        var user = Environment.IsPrivilegedProcess ? await DatabaseUser.EnsureAsync(options.User, time, cancellationToken) : null;
        if (user is not null && !await CanReachAsync(user, ExistingParent(layout.Root), cancellationToken)) layout = Relocate(layout, user);

        await EnsurePrivateFolderAsync(layout.Root, user, ["cluster", "cluster.new", "owner.lock", "server.lock", "postgres.log"], cancellationToken);
        await EnsurePrivateFolderAsync(layout.RuntimeDirectory, user, [".s.PGSQL.5432", ".s.PGSQL.5432.lock"], cancellationToken);
        return (layout, user);
    }

    /// <summary>Finds the programs and, for the first start ever, makes the data folder. Only the folder's owner may call it.</summary>
    public async Task<PostgresBinaries> PrepareDataAsync(EmbeddedLayout layout, DatabaseUser? user, CancellationToken cancellationToken)
    {
        var binaries = await new BinariesLocator(time).FindAsync(options.BinariesDirectory, ReadMajor(layout), cancellationToken);
        if (user is not null && !await CanReachAsync(user, binaries.Directory, cancellationToken)) binaries = BinariesCopy.Make(binaries, time);
        if (ReadMajor(layout) is null) await InitializeAsync(layout, binaries, user, cancellationToken);
        else if (user is not null) await ChangeOwnerAsync(layout.Cluster, user, recursive: true, cancellationToken);
        RotateLog(layout);
        return binaries;
    }

    private static int? ReadMajor(EmbeddedLayout layout)
    {
        var file = Path.Combine(layout.Cluster, "PG_VERSION");
        if (!File.Exists(file)) return null;
        var text = File.ReadAllText(file).Trim();
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var major) ? major : throw new DatabaseStartException($"{file} holds '{text}', which is no major version of PostgreSQL.");
    }

    /// <summary>Data that is at the asked place and cannot be reached is an error: beginning anew elsewhere would look like losing it.</summary>
    private EmbeddedLayout Relocate(EmbeddedLayout layout, DatabaseUser user)
    {
        if (Directory.Exists(layout.Cluster)) throw new DatabaseStartException($"The data in {layout.Root} cannot be reached by the user {user.Name}, as which PostgreSQL runs. Move the folder to where it can, or open its parents for it (chmod o+x).");
        var reachable = layout.Reachable();
        LogRelocated(layout.Root, user.Name, reachable.Root);
        return reachable;
    }

    private async Task InitializeAsync(EmbeddedLayout layout, PostgresBinaries binaries, DatabaseUser? user, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        if (Directory.Exists(layout.UnfinishedCluster)) Directory.Delete(layout.UnfinishedCluster, recursive: true);
        string[] command =
        [
            binaries.InitDb, "-D", layout.UnfinishedCluster, "-U", EmbeddedLayout.Administrator,
            "--auth=trust", "--encoding=UTF8", "--locale=C", "--data-checksums", "--no-instructions",
        ];
        var outcome = await ShortCommand.RunAsync(user, command, InitTimeout, time, cancellationToken);
        if (outcome is not { ExitCode: 0 })
        {
            throw new DatabaseStartException($"initdb could not make {layout.Cluster}: {outcome?.Error ?? "it, or setpriv, is not there"}");
        }

        Directory.Move(layout.UnfinishedCluster, layout.Cluster);
        LogInitialized(layout.Cluster, binaries.Major, time.GetElapsedTime(started).TotalMilliseconds);
    }

    /// <summary>A private folder of ours. Someone else's folder is refused, never taken over.</summary>
    private async Task EnsurePrivateFolderAsync(string path, DatabaseUser? user, IReadOnlyCollection<string> ours, CancellationToken cancellationToken)
    {
        if (!OperatingSystem.IsLinux()) throw new DatabaseStartException("The embedded PostgreSQL runs on Linux; set Database:ConnectionString.");
        var folder = new DirectoryInfo(path);
        if (folder.LinkTarget is not null) throw new DatabaseStartException($"{path} is a symbolic link; name the folder it points to.");
        if (folder.Exists && folder.EnumerateFileSystemInfos().FirstOrDefault(entry => !ours.Contains(entry.Name) && !entry.Name.StartsWith("postgres.log", StringComparison.Ordinal)) is { } foreign)
        {
            throw new DatabaseStartException($"{path} holds {foreign.Name}, which is not the embedded database's; give it an empty folder of its own.");
        }

        try
        {
            if (!folder.Exists) Directory.CreateDirectory(path, Private);
            if (user is not null) await ChangeOwnerAsync(path, user, recursive: false, cancellationToken);
            File.SetUnixFileMode(path, Private); // refused by the system when the folder is another user's
        }
        catch (UnauthorizedAccessException failure)
        {
            throw new DatabaseStartException($"{path} cannot be made or is another user's; give the embedded database a folder that is this user's own (Database:Embedded).", failure);
        }
    }

    private async Task ChangeOwnerAsync(string path, DatabaseUser user, bool recursive, CancellationToken cancellationToken)
    {
        string[] command = ["chown", .. recursive ? ["-R"] : Array.Empty<string>(), "--", string.Create(CultureInfo.InvariantCulture, $"{user.Uid}:{user.Gid}"), path];
        var outcome = await ShortCommand.RunAsync(null, command, ShortTimeout, time, cancellationToken);
        if (outcome is not { ExitCode: 0 }) throw new DatabaseStartException($"{path} could not be given to the user {user.Name}: {outcome?.Error ?? "there is no chown"}");
    }

    private async Task<bool> CanReachAsync(DatabaseUser user, string directory, CancellationToken cancellationToken)
    {
        var outcome = await ShortCommand.RunAsync(user, ["test", "-x", directory], ShortTimeout, time, cancellationToken)
            ?? throw new DatabaseStartException("There is no setpriv, which starts PostgreSQL as another user than root. Install util-linux, or start the host as an ordinary user.");
        return outcome.ExitCode == 0;
    }

    private static string ExistingParent(string path)
    {
        var folder = new DirectoryInfo(path).Parent;
        while (folder is { Exists: false }) folder = folder.Parent;
        return folder?.FullName ?? "/";
    }

    /// <summary>Keeps one log of the past, so that warnings of years do not fill the disk.</summary>
    private static void RotateLog(EmbeddedLayout layout)
    {
        const long LargestLog = 10 * 1024 * 1024;
        var log = new FileInfo(layout.Log);
        if (log.Exists && log.Length > LargestLog) log.MoveTo($"{layout.Log}.1", overwrite: true);
    }

    [LoggerMessage(2111, LogLevel.Information, "Made the data folder {Folder} with PostgreSQL {Major} in {Milliseconds:F0} ms.")]
    private partial void LogInitialized(string folder, int major, double milliseconds);

    [LoggerMessage(2112, LogLevel.Warning, "The user {User}, as which PostgreSQL runs, cannot reach {Folder}: the data is in {Reachable}.")]
    private partial void LogRelocated(string folder, string user, string reachable);
}
