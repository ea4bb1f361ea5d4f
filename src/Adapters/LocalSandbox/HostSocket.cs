using System.Globalization;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Coordinator.Adapters.LocalSandbox.Linux;
using Coordinator.Ports;
using Microsoft.Extensions.Configuration;

namespace Coordinator.Adapters.LocalSandbox;

/// <summary>
/// The unix socket that boxes reach the host by. Its directory is bound into every box, read-only, so a box can neither
/// replace the socket nor add one; and a box that outlives its host finds the next host's socket in the same directory.
/// <para>
/// The composition root calls <see cref="Prepare"/> and lets Kestrel listen on the returned path. When the host has
/// started, boxes are let in (as root the socket belongs to the boxes' group and to nobody else).
/// </para>
/// </summary>
public static class HostSocket
{
    public const string FileName = "host.sock";

    /// <summary>What <c>sockaddr_un</c> holds, less the closing zero.</summary>
    private const int LongestPath = 107;

    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <summary>
    /// Makes the directory, takes a socket file away that an earlier process left (unlink before bind), and returns
    /// where to listen.
    /// </summary>
    /// <exception cref="InvalidOperationException">The settings name no place for a socket.</exception>
    /// <exception cref="PortException"><see cref="PortFailureKind.Unavailable"/>: a host that lives listens there. It may end.</exception>
    public static string Prepare(IConfiguration configuration)
    {
        var directory = DirectoryFor(configuration);
        var parent = Path.GetDirectoryName(directory)!;
        Directory.CreateDirectory(parent);
        Directory.CreateDirectory(directory, Private);

        // Fails when somebody else made it: the mode is the owner's to change. (Under /tmp anybody might have.)
        File.SetUnixFileMode(directory, File.GetUnixFileMode(directory) | Private);
        var path = Path.Combine(directory, FileName);
        if (path.Length > LongestPath) throw new InvalidOperationException($"{LocalSandboxOptions.Section}:SocketDirectory is too long for a socket: {path} has more than {LongestPath} characters.");
        if (IsAnswered(path)) throw new PortException(PortFailureKind.Unavailable, $"another host already serves boxes at {path}; stop it, or give this one a DataDirectory of its own.");
        File.Delete(path);
        return path;
    }

    /// <summary>Whether a living host listens there: its socket must not be taken away from under its boxes.</summary>
    private static bool IsAnswered(string path)
    {
        if (!File.Exists(path)) return false;
        using var probe = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            probe.Connect(new UnixDomainSocketEndPoint(path));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    /// <summary>
    /// Where the socket's directory is, always the same for one data directory: configured, or under <c>/run</c> when the
    /// host is root, or with the data, or under <c>/tmp</c> when that path is too long for a socket.
    /// </summary>
    public static string DirectoryFor(IConfiguration configuration)
    {
        var options = new LocalSandboxOptions();
        configuration.GetSection(LocalSandboxOptions.Section).Bind(options);
        return DirectoryFor(options);
    }

    internal static string DirectoryFor(LocalSandboxOptions options)
    {
        if (options.SocketDirectory.Length > 0) return Path.GetFullPath(options.SocketDirectory);
        if (options.DataDirectory.Length == 0) throw new InvalidOperationException($"it stands with the data, and {LocalSandboxOptions.Section}:DataDirectory is empty.");
        var data = Path.GetFullPath(options.DataDirectory);
        if (Native.EffectiveUser == 0) return Path.Combine("/run/coordinator", NameFor(data));
        var beside = Path.Combine(data, "run");
        if (beside.Length + FileName.Length + 1 <= LongestPath) return beside;
        return Path.Combine($"/tmp/coordinator-{Native.EffectiveUser.ToString(CultureInfo.InvariantCulture)}", NameFor(data));
    }

    /// <summary>A short name that is always the same for one path.</summary>
    internal static string NameFor(string path) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(path)))[..12];

    /// <summary>Lets the boxes' user go into the directory and connect, and nobody else.</summary>
    internal static void Admit(string directory, BoxUser user)
    {
        Directory.CreateDirectory(directory, Private);
        if (!user.IsDropped) return;
        Native.ChangeOwner(directory, 0, user.Gid);
        File.SetUnixFileMode(directory, Private | UnixFileMode.GroupRead | UnixFileMode.GroupExecute);
        var socket = Path.Combine(directory, FileName);
        if (!File.Exists(socket)) return;
        Native.ChangeOwner(socket, 0, user.Gid);
        File.SetUnixFileMode(socket, Connect);
    }

    /// <summary>Connecting to a socket takes the right to write it.</summary>
    private const UnixFileMode Connect = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite;
}
