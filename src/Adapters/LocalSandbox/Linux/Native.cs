using System.ComponentModel;
using System.Runtime.InteropServices;

namespace Coordinator.Adapters.LocalSandbox.Linux;

/// <summary>The few calls of the C library that .NET does not offer.</summary>
internal static partial class Native
{
    public const int SignalKill = 9;
    public const int SignalStop = 19;

    private const int NoSuchProcess = 3;
    private const int Interrupted = 4;
    private const int NotForThisFile = 22;
    private const int NotSupported = 95;
    private const int ReadOnlyCloseOnExec = 0x80000;
    private const int SetDescriptorFlags = 2;
    private const int CloseOnExec = 1;

    public static uint EffectiveUser => GetEuid();

    public static uint EffectiveGroup => GetEgid();

    /// <summary>Gives a file or directory (not what a link points to) to a user and group.</summary>
    public static void ChangeOwner(string path, uint user, uint group)
    {
        if (LChown(path, user, group) != 0) throw Failure($"lchown {path}");
    }

    /// <summary>Sends a signal; false when there is no such process.</summary>
    public static bool Signal(int pid, int signal)
    {
        if (Kill(pid, signal) == 0) return true;
        return Marshal.GetLastPInvokeError() == NoSuchProcess ? false : throw Failure($"kill {pid}");
    }

    /// <summary>Marks an open descriptor so that no program started from here inherits it; a closed one is left alone.</summary>
    public static void KeepFromChildren(int descriptor) => _ = Fcntl(descriptor, SetDescriptorFlags, CloseOnExec);

    /// <summary>Makes durable which files a folder lists. .NET opens no folders.</summary>
    public static void FlushFolder(string folder)
    {
        var descriptor = Repeat(() => Open(folder, ReadOnlyCloseOnExec));
        if (descriptor < 0) throw Failure($"open {folder}");
        try
        {
            // A file system that flushes no folders says so, and keeps their order by its own means.
            if (Repeat(() => Flush(descriptor)) != 0 && Marshal.GetLastPInvokeError() is not (NotForThisFile or NotSupported)) throw Failure($"fsync {folder}");
        }
        finally
        {
            _ = Close(descriptor);
        }
    }

    private static int Repeat(Func<int> call)
    {
        while (true)
        {
            var result = call();
            if (result >= 0 || Marshal.GetLastPInvokeError() != Interrupted) return result;
        }
    }

    private static IOException Failure(string call)
    {
        var error = new Win32Exception(Marshal.GetLastPInvokeError());
        return new IOException($"{call}: {error.Message}", error) { HResult = error.NativeErrorCode };
    }

    [LibraryImport("libc", EntryPoint = "geteuid")]
    private static partial uint GetEuid();

    [LibraryImport("libc", EntryPoint = "getegid")]
    private static partial uint GetEgid();

    [LibraryImport("libc", EntryPoint = "lchown", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int LChown(string path, uint user, uint group);

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int pid, int signal);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Flush(int descriptor);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);

    [LibraryImport("libc", EntryPoint = "fcntl")]
    private static partial int Fcntl(int descriptor, int command, int argument);
}
