using System.Runtime.InteropServices;

namespace Coordinator.Adapters.FileSystem;

/// <summary>
/// The folders below one root, of which a loss of power takes no name: a file that was flushed is still lost while the folder
/// that lists it was not, and so is the folder in the one above it.
/// </summary>
internal sealed partial class DurableFolders(string root, Action<string> flush)
{
    private const int Interrupted = 4;
    private const int NotForThisFile = 22;
    private const int NotSupported = 95;
    private const int ReadOnly = 0;
    private const int CloseOnExec = 0x80000;

    /// <summary>Makes a folder and what is missing above it, the root and what is above that too, each to stay.</summary>
    /// <exception cref="IOException">One cannot be made, or may be lost again.</exception>
    public void Make(string folder)
    {
        if (Directory.Exists(folder)) return;
        var above = Path.GetDirectoryName(folder)!;
        Make(above);
        Directory.CreateDirectory(folder);
        flush(above);
    }

    /// <summary>
    /// Has what a folder lists by now outlive a loss of power: its names, and its own up to the root, since whoever made them
    /// may have died before they were flushed.
    /// </summary>
    /// <exception cref="IOException">What it lists may be lost again.</exception>
    public void Keep(string folder)
    {
        flush(folder);
        if (folder != root) Keep(Path.GetDirectoryName(folder)!);
    }

    /// <summary>Has the system write down what a folder lists. .NET opens no folders.</summary>
    /// <exception cref="IOException">The folder cannot be opened or flushed; the system's error number is in the result.</exception>
    public static void Flush(string folder)
    {
        var descriptor = Repeat(() => Open(folder, ReadOnly | CloseOnExec));
        if (descriptor < 0) throw NotFlushed(folder);
        try
        {
            // A file system that flushes no folders says so, and keeps their order by its own means.
            if (Repeat(() => Flush(descriptor)) != 0 && Marshal.GetLastPInvokeError() is not (NotForThisFile or NotSupported)) throw NotFlushed(folder);
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

    private static IOException NotFlushed(string folder) =>
        new($"The folder {folder} cannot be flushed: {Marshal.GetLastPInvokeErrorMessage()}.", Marshal.GetLastPInvokeError());

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Flush(int descriptor);

    [LibraryImport("libc", EntryPoint = "close")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Close(int descriptor);
}
