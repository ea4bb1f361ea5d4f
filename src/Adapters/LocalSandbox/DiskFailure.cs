using Coordinator.Ports;

namespace Coordinator.Adapters.LocalSandbox;

/// <summary>A failure of this machine's files, as the port promises to say it.</summary>
internal static class DiskFailure
{
    /// <summary>ENOSPC and EDQUOT, which .NET puts into the exception's HResult.</summary>
    private const int NoSpace = 28, QuotaExceeded = 122;

    public static bool Is(Exception failure) => failure is IOException or UnauthorizedAccessException;

    /// <param name="failure">One that <see cref="Is"/>.</param>
    /// <param name="what">What could not be done, as a sentence without its end.</param>
    /// <param name="effectMayHaveHappened">Some of it may have been done.</param>
    public static PortException Of(Exception failure, string what, bool effectMayHaveHappened = false) =>
        new(failure.HResult is NoSpace or QuotaExceeded ? PortFailureKind.Full : PortFailureKind.Unavailable, $"{what}: {failure.Message}", effectMayHaveHappened, inner: failure);
}
