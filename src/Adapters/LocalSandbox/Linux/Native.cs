using System.ComponentModel;
using System.Runtime.InteropServices;

namespace Coordinator.Adapters.LocalSandbox.Linux;

/// <summary>The few calls of the C library that .NET does not offer.</summary>
internal static partial class Native
{
    public const int SignalKill = 9;
    public const int SignalStop = 19;

    private const int NoSuchProcess = 3;
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

    private static IOException Failure(string call)
    {
        var error = new Win32Exception(Marshal.GetLastPInvokeError());
        return new IOException($"{call}: {error.Message}", error);
    }

    [LibraryImport("libc", EntryPoint = "geteuid")]
    private static partial uint GetEuid();

    [LibraryImport("libc", EntryPoint = "getegid")]
    private static partial uint GetEgid();

    [LibraryImport("libc", EntryPoint = "lchown", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int LChown(string path, uint user, uint group);

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int pid, int signal);

    [LibraryImport("libc", EntryPoint = "fcntl")]
    private static partial int Fcntl(int descriptor, int command, int argument);
}
