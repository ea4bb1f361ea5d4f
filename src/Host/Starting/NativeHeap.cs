using System.Runtime.InteropServices;

namespace Coordinator.Host.Starting;

/// <summary>
/// How the memory outside of the collected heap is given back. The runtime's compiler takes it in blocks of 64 KiB, megabytes for a large
/// method. glibc would keep what is freed of that for the thread's next request, between small blocks that stay: after a
/// first thousand sessions 10 MB of an idle host were such holes. Where it has no such hole yet, a block is now a mapping of its own, and the system's again at once.
/// </summary>
internal static partial class NativeHeap
{
    /// <summary>The compiler's block, and whatever is as large.</summary>
    public const int OwnMapping = 64 * 1024;

    private const int MapThreshold = -3; // M_MMAP_THRESHOLD

    /// <summary>Once for the process, before it computes much. Another C library than glibc does as it does.</summary>
    public static void GiveBackAtOnce()
    {
        if (OperatingSystem.IsLinux() && NativeLibrary.TryLoad("libc.so.6", out var library) && NativeLibrary.TryGetExport(library, "mallopt", out _))
            _ = SetOption(MapThreshold, OwnMapping);
    }

    [LibraryImport("libc.so.6", EntryPoint = "mallopt")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int SetOption(int option, int value);
}
