using System.Runtime.InteropServices;

namespace Coordinator.Adapters.LocalIdentity;

/// <summary>What .NET has no name for.</summary>
internal static partial class NativeMethods
{
    /// <summary>Gives a file a second name, if nothing has that name: whole, or not at all. Zero when it was done.</summary>
    [LibraryImport("libc", EntryPoint = "link", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial int Link(string existing, string name);
}
