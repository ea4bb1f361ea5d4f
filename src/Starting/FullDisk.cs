namespace Coordinator.Starting;

/// <summary>A disk without room is no wrong setting: it is waited for, or the host ends so that its supervisor tries again.</summary>
internal static class FullDisk
{
    /// <summary>ENOSPC and EDQUOT, which .NET puts into the exception's HResult.</summary>
    private const int NoSpace = 28, QuotaExceeded = 122;

    public static bool Is(Exception failure) => failure is IOException { HResult: NoSpace or QuotaExceeded };
}
