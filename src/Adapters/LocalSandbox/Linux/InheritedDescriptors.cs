using System.Globalization;

namespace Coordinator.Adapters.LocalSandbox.Linux;

/// <summary>
/// Descriptors that this process was itself started with (a lock of a script, a pipe of a supervisor) would pass into
/// boxes: a directory's would be a way out, a lock's would be held for the box's life.
/// </summary>
internal static class InheritedDescriptors
{
    private const int LastStandard = 2;

    /// <summary>Keeps all but the standard three from every program that is started from now on.</summary>
    public static void KeepFromChildren()
    {
        foreach (var entry in Directory.EnumerateFileSystemEntries("/proc/self/fd"))
        {
            if (int.TryParse(Path.GetFileName(entry), NumberStyles.None, CultureInfo.InvariantCulture, out var descriptor) && descriptor > LastStandard)
                Native.KeepFromChildren(descriptor);
        }
    }
}
