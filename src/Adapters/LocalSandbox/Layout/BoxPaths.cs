using System.Globalization;
using Coordinator.Ports;

namespace Coordinator.Adapters.LocalSandbox.Layout;

/// <summary>
/// Where things lie under the data directory:
/// <code>
/// node                                     this machine's name in handles
/// locks/00 … ff                            one of them is held while boxes of a session are made or ended
/// etc/                                     what boxes see as /etc/passwd and the like
/// trash/                                   data on its way out
/// sessions/ses_…/data/{workspace,home}     the session's, from box to box
/// sessions/ses_…/boxes/box_…/              record.json, config/box.json, status, log
/// </code>
/// Data never lies there without the record of a box beside it, so that nothing is untracked.
/// </summary>
internal sealed class BoxPaths(string root)
{
    private const int Locks = 256;

    public string Root { get; } = root;

    public string Node => Path.Combine(Root, "node");

    public string Etc => Path.Combine(Root, "etc");

    public string Trash => Path.Combine(Root, "trash");

    public string LockDirectory => Path.Combine(Root, "locks");

    public string Sessions => Path.Combine(Root, "sessions");

    /// <summary>The lock file of a session; some sessions share one. They are never deleted, so holding one means something.</summary>
    public string LockOf(SessionId session) =>
        Path.Combine(LockDirectory, (PrefixedId.Derive("lock", session.ToString()).ToByteArray()[0] % Locks).ToString("x2", CultureInfo.InvariantCulture));

    public string Of(SessionId session) => Path.Combine(Sessions, session.ToString());

    public string DataOf(SessionId session) => Path.Combine(Of(session), "data");

    public string WorkspaceOf(SessionId session) => Path.Combine(DataOf(session), "workspace");

    public string HomeOf(SessionId session) => Path.Combine(DataOf(session), "home");

    public string BoxesOf(SessionId session) => Path.Combine(Of(session), "boxes");

    public BoxFiles Of(BoxAddress box) => new(Path.Combine(BoxesOf(box.Session), box.Sandbox.ToString()));
}

/// <summary>The files of one box.</summary>
internal sealed record BoxFiles(string Directory)
{
    /// <summary>What the host knows of the box (<see cref="BoxRecord"/>).</summary>
    public string Record => Path.Combine(Directory, "record.json");

    public string ConfigDirectory => Path.Combine(Directory, "config");

    /// <summary>What the program in the box reads; holds the token.</summary>
    public string Config => Path.Combine(ConfigDirectory, "box.json");

    /// <summary>What the isolation tells of the box: its first process, and in the end its exit code.</summary>
    public string Status => Path.Combine(Directory, "status");

    /// <summary>What the box wrote to its standard outputs.</summary>
    public string Log => Path.Combine(Directory, "log");
}
