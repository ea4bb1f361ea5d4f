using System.Globalization;
using Coordinator.Ports;

namespace Coordinator.Adapters.LocalSandbox.Linux;

/// <summary>
/// Whose processes boxes are, on the host. <see cref="IsDropped"/>: the host is root and gives its rights up before it
/// starts a box, because an inner user of a box started by root is still the host's root.
/// </summary>
internal sealed record BoxUser(uint Uid, uint Gid, bool IsDropped)
{
    /// <summary>What goes before a command so that it runs as this user, with no way back.</summary>
    public IReadOnlyList<string> Prefix => IsDropped
        ?
        [
            "setpriv",
            "--reuid", Uid.ToString(CultureInfo.InvariantCulture),
            "--regid", Gid.ToString(CultureInfo.InvariantCulture),
            "--clear-groups", "--no-new-privs", "--",
        ]
        : ["setpriv", "--no-new-privs", "--"];
}

/// <summary>Finds the boxes' user, and makes it when it is missing.</summary>
internal sealed class BoxUsers(SystemCommand commands)
{
    /// <summary>Whether the setting itself says so; a name may turn out to be root's as well.</summary>
    public static bool IsRoot(string setting) => setting is "root" or "0" || setting.StartsWith("0:", StringComparison.Ordinal);

    /// <exception cref="PortException"><see cref="PortFailureKind.Rejected"/>: the setting names root, or a user that cannot be made.</exception>
    public async ValueTask<BoxUser> ResolveAsync(string setting, CancellationToken cancellationToken)
    {
        if (Native.EffectiveUser != 0) return new(Native.EffectiveUser, Native.EffectiveGroup, IsDropped: false);
        var user = Numeric(setting) ?? await FindAsync(setting, cancellationToken) ?? await MakeAsync(setting, cancellationToken);
        return user.Uid != 0 ? user : throw Wrong($"'{setting}' is root; boxes must belong to a user without rights");
    }

    private static BoxUser? Numeric(string setting)
    {
        var parts = setting.Split(':');
        if (parts.Length > 2 || !TryNumber(parts[0], out var uid)) return null;
        var gid = uid;
        return parts.Length == 1 || TryNumber(parts[1], out gid) ? new(uid, gid, IsDropped: true) : throw Wrong($"'{setting}' is not uid:gid");

        static bool TryNumber(string text, out uint number) => uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);
    }

    private async ValueTask<BoxUser?> FindAsync(string name, CancellationToken cancellationToken)
    {
        var uid = await commands.RunAsync("id", ["-u", "--", name], cancellationToken);
        var gid = await commands.RunAsync("id", ["-g", "--", name], cancellationToken);
        return uid.IsSuccess && gid.IsSuccess ? Numeric($"{uid.Output}:{gid.Output}") : null;
    }

    private async ValueTask<BoxUser> MakeAsync(string name, CancellationToken cancellationToken)
    {
        string[] arguments = ["--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent", "--shell", "/usr/sbin/nologin", "--", name];
        var made = SystemCommand.Locate("useradd") is null ? null : await commands.RunAsync("useradd", arguments, cancellationToken);

        // Another host of this machine may have made it at the same moment: what counts is that it is there.
        return await FindAsync(name, cancellationToken)
            ?? throw Wrong($"there is no user '{name}' and it could not be made ({made?.Error ?? "useradd is not installed"}); make it, or give a uid");
    }

    private static PortException Wrong(string what) => new(PortFailureKind.Rejected, $"{LocalSandboxOptions.Section}:User: {what}.");
}
