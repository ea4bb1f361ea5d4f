using System.Diagnostics;

namespace Coordinator.Tests.Support.Storage;

/// <summary>
/// A disk so small that a test may fill it, for an ordinary user too: in the mount namespace of a process that does nothing
/// (<c>bwrap</c>), reached through that process's root. It is gone with the process, which ends when the test's does.
/// </summary>
public sealed class SmallDisk : IDisposable
{
    private const long Size = 4 * 1024 * 1024;

    private readonly Process holder;
    private readonly string filler;

    private SmallDisk(Process holder, string path)
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
        return new(holder, $"/proc/{process}/root/mnt");
    }

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
        holder.StandardInput.Close();
        holder.WaitForExit();
        holder.Dispose();
    }
}
