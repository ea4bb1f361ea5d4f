using Coordinator.Adapters.LocalSandbox.Layout;

namespace Coordinator.Adapters.LocalSandbox;

/// <summary>The room that a new box needs on this machine's disk: what a create demands, and what is told of the machine.</summary>
internal static class DiskRoom
{
    /// <summary>Null when there is as much as is demanded.</summary>
    /// <exception cref="IOException">The disk cannot be looked at.</exception>
    public static string? WhyNone(BoxPaths paths, LocalSandboxOptions options)
    {
        var free = new DriveInfo(paths.Root).AvailableFreeSpace;
        return free < options.MinimumFreeDiskBytes
            ? $"This machine's disk is full: {free} bytes are free, {options.MinimumFreeDiskBytes} must be ({LocalSandboxOptions.Section}:{nameof(LocalSandboxOptions.MinimumFreeDiskBytes)})."
            : null;
    }
}
