namespace Coordinator.Sandbox.Boot;

/// <summary>Adds up the files below a folder, as far as a limit: beyond it nobody needs to know.</summary>
internal static class FolderSize
{
    private static readonly EnumerationOptions Everything = new() { RecurseSubdirectories = true, IgnoreInaccessible = true, AttributesToSkip = FileAttributes.ReparsePoint };

    public static bool Exceeds(string folder, long limit)
    {
        var total = 0L;
        try
        {
            foreach (var file in new DirectoryInfo(folder).EnumerateFiles("*", Everything))
            {
                total += LengthOf(file);
                if (total > limit) return true;
            }
        }
        catch (IOException)
        {
            // git renames folders while it works; the next look sees the rest.
            return total > limit;
        }

        return false;
    }

    private static long LengthOf(FileInfo file)
    {
        try
        {
            return file.Length;
        }
        catch (IOException)
        {
            return 0;
        }
    }
}
