using System.Diagnostics;
using System.Globalization;

namespace Coordinator.Tests.Support.Storage;

/// <summary>
/// A disk so small that a test may fill it, for an ordinary user too: in the mount namespace of a process that does nothing
/// (<c>bwrap</c>), reached through that process's root. It is gone with the process, which ends when the test's does.
/// </summary>
public sealed class SmallDisk : IDisposable
{
    private const long Size = 4 * 1024 * 1024;

    private readonly Process? holder;
    private readonly string filler;

    /// <param name="path">Where it is mounted, as it is seen from here.</param>
    /// <param name="holder">The process that it goes with, when that is ours to end.</param>
    internal SmallDisk(string path, Process? holder)
    {
        this.holder = holder;
        Path = path;
        filler = System.IO.Path.Combine(path, "filler");
    }

    /// <summary>Where it is mounted.</summary>
    public string Path { get; }

    public static async Task<SmallDisk> MountAsync()
    {
        string[] arguments = ["--dev-bind", "/", "/", "--size", $"{Size}", "--tmpfs", "/mnt", "--", "/bin/sh", "-c", "echo $$; exec cat"];
        var holder = Process.Start(new ProcessStartInfo("bwrap", arguments) { RedirectStandardInput = true, RedirectStandardOutput = true })!;
        var process = await holder.StandardOutput.ReadLineAsync() ?? throw new InvalidOperationException("bwrap made no disk.");
        return new($"/proc/{process}/root/mnt", holder);
    }

    /// <summary>What stands before a command so that it has a disk of its own at a folder, and is the one process that everything is sent to.</summary>
    public static IEnumerable<string> Before(string folder, long size) =>
    [
        "unshare", .. Environment.IsPrivilegedProcess ? Array.Empty<string>() : ["--user", "--map-current-user", "--keep-caps"], "--mount", "--",
        "sh", "-c", """mkdir -p "$0" && mount -t tmpfs -o mode=0755,size="$1" tmpfs "$0" && shift && exec "$@" """, folder, size.ToString(CultureInfo.InvariantCulture),
    ];

    /// <summary>Leaves no room at all.</summary>
    public void Fill()
    {
        using var file = new FileStream(filler, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
        var block = new byte[4096];
        try
        {
            while (true) file.Write(block);
        }
        catch (IOException)
        {
            // That was all of it.
        }
    }

    public void MakeRoom() => File.Delete(filler);

    public void Dispose()
    {
        if (holder is null) return;
        holder.StandardInput.Close();
        holder.WaitForExit();
        holder.Dispose();
    }
}
