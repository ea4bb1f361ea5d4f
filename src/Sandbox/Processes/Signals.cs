using System.Runtime.InteropServices;

namespace Coordinator.Sandbox.Processes;

internal enum Signal
{
    Interrupt = 2,
    Kill = 9,
    Terminate = 15,
}

/// <summary>The few system calls .NET has no words for.</summary>
internal static partial class Signals
{
    private const int NoHang = 1;
    private const int SetDumpable = 4;
    private const int SetChildSubreaper = 36;

    /// <summary>Sends a signal; a process that is gone needs none.</summary>
    public static void Send(int pid, Signal signal)
    {
        if (pid > 1) _ = Kill(pid, (int)signal);
    }

    /// <summary>Takes the exit status of a child that has ended, so that its entry in the process table goes.</summary>
    public static void Reap(int pid) => _ = WaitPid(pid, out _, NoHang);

    /// <summary>Makes this program the parent of every descendant whose own parent ends.</summary>
    public static void BecomeSubreaper() => _ = ProcessControl(SetChildSubreaper, 1, 0, 0, 0);

    /// <summary>
    /// Keeps the box's other processes, which run under the same user, from reading this program's memory, environment
    /// and open files: the box's token and the agent's password are in them. Programs it starts are not hidden.
    /// </summary>
    public static void HideFromPeers() => _ = ProcessControl(SetDumpable, 0, 0, 0, 0);

    [LibraryImport("libc", EntryPoint = "prctl", SetLastError = true)]
    private static partial int ProcessControl(int option, nuint argument2, nuint argument3, nuint argument4, nuint argument5);

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int pid, int signal);

    [LibraryImport("libc", EntryPoint = "waitpid", SetLastError = true)]
    private static partial int WaitPid(int pid, out int status, int options);
}
