namespace Coordinator.Sandbox.Boot;

/// <summary>Adds up the files below a folder, links not followed.</summary>
internal static class FolderSize
{
    private static readonly EnumerationOptions Everything = new() { RecurseSubdirectories = true, IgnoreInaccessible = true, AttributesToSkip = FileAttributes.ReparsePoint };

    /// <summary>As far as a limit: beyond it nobody needs to know.</summary>
    public static bool Exceeds(string folder, long limit) => Measure(folder, limit) > limit;

    /// <summary>The sum in bytes; adding stops once it is above <paramref name="enough"/>.</summary>
    public static long Measure(string folder, long enough = long.MaxValue)
    {
        var total = 0L;
        try
        {
            foreach (var file in new DirectoryInfo(folder).EnumerateFiles("*", Everything))
            {
                total += LengthOf(file);
                if (total > enough) return total;
            }
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            // Folders come and go while they are counted; the next look sees the rest.
            return total;
        }

        return total;
    }

    private static long LengthOf(FileInfo file)
    {
        try
        {
            return file.Length;
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return 0; // or in a folder that may be listed and not entered
        }
    }
}
