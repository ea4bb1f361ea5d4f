namespace Coordinator.Starting;

/// <summary>Finds folders of settings that cannot be made or written. One on a full disk is right, and waited for by who writes.</summary>
internal static class SettingFolders
{
    /// <summary>Looks at the folder of everything, and at those of the parts that are set to be elsewhere, or that it does not stand for.</summary>
    public static void Check(IConfiguration configuration, WrongSettings wrong, string whole, params IEnumerable<string> parts)
    {
        var data = configuration[whole]!;
        var isWritable = Check(whole, data, wrong);
        foreach (var part in parts)
        {
            if (configuration[part] is { Length: > 0 } folder && (isWritable || !IsBelow(folder, data))) Check(part, folder, wrong);
        }
    }

    /// <summary>False when it was found wrong.</summary>
    public static bool Check(string key, string folder, WrongSettings wrong)
    {
        try
        {
            Directory.CreateDirectory(folder);
            var probe = Path.Combine(folder, $".writable.{Environment.ProcessId}");
            using var written = new FileStream(probe, FileMode.Create, FileAccess.Write, FileShare.ReadWrite, bufferSize: 1, FileOptions.DeleteOnClose);
            return true;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            if (FullDisk.Is(failure)) return true;
            wrong.Add($"{key} is '{folder}'; it must be a folder that can be made and written: {failure.Message}");
            return false;
        }
    }

    private static bool IsBelow(string folder, string other) => Path.GetFullPath(folder).StartsWith(Path.GetFullPath(other).TrimEnd('/') + '/', StringComparison.Ordinal);
}
