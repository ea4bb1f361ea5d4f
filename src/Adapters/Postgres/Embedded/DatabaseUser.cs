using System.Globalization;

namespace Coordinator.Adapters.Postgres.Embedded;

/// <summary>The system user that PostgreSQL runs as when the host is root: PostgreSQL refuses to be root, and a box's user must not reach it.</summary>
internal sealed record DatabaseUser(string Name, uint Uid, uint Gid)
{
    private static readonly TimeSpan CommandTimeout = TimeSpan.FromSeconds(15);

    /// <summary>What stands before a command to run it as this user, with no way back.</summary>
    public IEnumerable<string> Prefix =>
    [
        "setpriv", "--reuid", Uid.ToString(CultureInfo.InvariantCulture), "--regid", Gid.ToString(CultureInfo.InvariantCulture), "--clear-groups", "--no-new-privs", "--",
    ];

    /// <summary>Finds the user, or makes it. initdb needs an entry in passwd, so a bare number would not do.</summary>
    public static async Task<DatabaseUser> EnsureAsync(string name, TimeProvider time, CancellationToken cancellationToken)
    {
        var found = await FindAsync(name, time, cancellationToken);
        if (found is null)
        {
            string[] command = ["useradd", "--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent", "--shell", "/usr/sbin/nologin", name];
            var made = await ShortCommand.RunAsync(null, command, CommandTimeout, time, cancellationToken);

            // Another host may have made it in the same moment: what counts is that it is there now.
            found = await FindAsync(name, time, cancellationToken)
                ?? throw new DatabaseStartException($"PostgreSQL cannot run as root, and the system user {name} could not be made ({made?.Error ?? "there is no useradd"}). Make one and name it in Database:Embedded:User, start the host as an ordinary user, or set Database:ConnectionString.");
        }

        return found.Uid != 0 ? found : throw new DatabaseStartException($"Database:Embedded:User is {name}, which is root; PostgreSQL must run as another user.");
    }

    private static async Task<DatabaseUser?> FindAsync(string name, TimeProvider time, CancellationToken cancellationToken)
    {
        var uid = await ShortCommand.RunAsync(null, ["id", "-u", "--", name], CommandTimeout, time, cancellationToken);
        var gid = await ShortCommand.RunAsync(null, ["id", "-g", "--", name], CommandTimeout, time, cancellationToken);
        return uid is { ExitCode: 0 } && gid is { ExitCode: 0 }
            && uint.TryParse(uid.Output, NumberStyles.None, CultureInfo.InvariantCulture, out var user)
            && uint.TryParse(gid.Output, NumberStyles.None, CultureInfo.InvariantCulture, out var group)
            ? new(name, user, group)
            : null;
    }
}
