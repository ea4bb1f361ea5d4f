using Coordinator.Ports;

namespace Coordinator.Adapters.FileSystem;

/// <summary>Tells a full disk from one that fails.</summary>
internal static class StorageFailure
{
    private const int NoSpaceLeft = 28;
    private const int QuotaExceeded = 122;
    private const int FileTooLarge = 27;
    private const int WindowsDiskFull = unchecked((int)0x80070070);

    public static PortException Of(Exception exception) => exception.HResult is NoSpaceLeft or QuotaExceeded or FileTooLarge or WindowsDiskFull
        ? new(PortFailureKind.Full, "There is no room for artifacts.", inner: exception)
        : new(PortFailureKind.Unavailable, "The artifact directory cannot be used.", inner: exception);
}
