using Coordinator.Adapters.LocalSandbox.Layout;
using Coordinator.Adapters.LocalSandbox.Linux;
using Coordinator.Ports;

namespace Coordinator.Adapters.LocalSandbox;

/// <summary>Makes the directories of sessions and boxes with the owners they need: data is the boxes' user's, all else is the host's.</summary>
internal static class BoxDirectories
{
    private const UnixFileMode Owner = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private const UnixFileMode PassableForGroup = Owner | UnixFileMode.GroupExecute;

    /// <summary>The directory of a box, where its record goes.</summary>
    public static void MakeBox(LocalMachine machine, BoxAddress box)
    {
        var files = machine.Paths.Of(box);
        foreach (var directory in new[] { machine.Paths.Of(box.Session), machine.Paths.BoxesOf(box.Session), files.Directory, files.ConfigDirectory })
        {
            Directory.CreateDirectory(directory);
            if (machine.User.IsDropped) Native.ChangeOwner(directory, 0, machine.User.Gid);
            File.SetUnixFileMode(directory, PassableForGroup);
        }
    }

    /// <summary>The session's workspace and home. Made after a record stands beside them.</summary>
    public static void MakeData(LocalMachine machine, SessionId session)
    {
        foreach (var directory in new[] { machine.Paths.DataOf(session), machine.Paths.WorkspaceOf(session), machine.Paths.HomeOf(session) })
        {
            if (Directory.Exists(directory)) continue;
            Directory.CreateDirectory(directory, Owner);
            Give(directory, machine.User);
        }
    }

    public static void Give(string path, BoxUser user)
    {
        if (user.IsDropped) Native.ChangeOwner(path, user.Uid, user.Gid);
    }
}
