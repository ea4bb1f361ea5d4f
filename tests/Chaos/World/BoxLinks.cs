using System.Net.Sockets;
using Coordinator.Tests.Support.Network;

namespace Coordinator.Tests.Chaos.World;

/// <summary>
/// The ways between boxes and what they dial. A program in bubblewrap's place has each box find a socket of its session's own where the one of all
/// would be, so that one session's way can be hurt and no other's; what dials and what is dialled are the product's own.
/// </summary>
internal sealed class BoxLinks : IDisposable
{
    private const string Program = "bwrap-on-link.sh";
    private const string Socket = "host.sock";
    private const UnixFileMode Passable = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;
    private const UnixFileMode Dialled = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;

    private readonly string folder = Directory.CreateTempSubdirectory("coordinator-links-").FullName;

    public BoxLinks()
    {
        File.SetUnixFileMode(folder, Passable); // boxes may be another user's
        Bubblewrap = Path.Combine(folder, Program);
        File.Copy(Path.Combine(AppContext.BaseDirectory, Program), Bubblewrap);
        File.SetUnixFileMode(Bubblewrap, Passable);
    }

    /// <summary>What boxes must be started by.</summary>
    public string Bubblewrap { get; }

    /// <summary>Opens a session's way to a socket; its boxes wait for that before they start.</summary>
    public FaultProxy Open(string session, string socket)
    {
        var made = Directory.CreateDirectory(Path.Combine(folder, session), Passable).FullName;
        var link = new FaultProxy(new UnixDomainSocketEndPoint(socket), new UnixDomainSocketEndPoint(Path.Combine(made, Socket)));
        File.SetUnixFileMode(Path.Combine(made, Socket), Dialled);
        return link;
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);
}
