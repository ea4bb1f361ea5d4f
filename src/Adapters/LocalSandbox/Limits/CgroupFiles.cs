using System.Globalization;
using Coordinator.Adapters.LocalSandbox.Linux;
using Coordinator.Ports;

namespace Coordinator.Adapters.LocalSandbox.Limits;

/// <summary>One control group's directory, in any hierarchy.</summary>
internal static class CgroupFiles
{
    /// <exception cref="PortException"><see cref="PortFailureKind.Unavailable"/>: the kernel refused the value.</exception>
    public static void Write(string directory, string file, string value)
    {
        try
        {
            File.WriteAllText(Path.Combine(directory, file), value);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new PortException(PortFailureKind.Unavailable, $"The control group {directory} does not take {file} = {value}: {e.Message}", inner: e);
        }
    }

    public static void Write(string directory, string file, long value) => Write(directory, file, value.ToString(CultureInfo.InvariantCulture));

    public static IReadOnlyList<int> Processes(string directory) =>
        [.. Lines(directory, "cgroup.procs").Select(line => int.Parse(line, CultureInfo.InvariantCulture)).Where(pid => ProcessTable.Find(pid) is { IsAlive: true })];

    /// <summary>The number behind a word in a file of lines <c>word number</c>; 0 when it is not there.</summary>
    public static long Counter(string directory, string file, string word)
    {
        var line = Lines(directory, file).FirstOrDefault(line => line.StartsWith(word + " ", StringComparison.Ordinal));
        return line is null ? 0 : long.Parse(line.AsSpan(word.Length + 1), CultureInfo.InvariantCulture);
    }

    /// <summary>Removes an empty group. The kernel says busy for a moment after its last process has ended; then it is left for the next try.</summary>
    public static bool TryRemove(string directory)
    {
        try
        {
            // Not recursive: the files in it are not files, and rmdir of the directory alone is how a group goes.
            if (Directory.Exists(directory)) Directory.Delete(directory);
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }

    /// <summary>True when groups can be made below here.</summary>
    public static bool CanMake(string directory)
    {
        try
        {
            Directory.CreateDirectory(directory);
            var probe = Path.Combine(directory, $"probe-{Environment.ProcessId}");
            Directory.CreateDirectory(probe);
            return TryRemove(probe);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static string[] Lines(string directory, string file)
    {
        try
        {
            return File.ReadAllLines(Path.Combine(directory, file));
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return [];
        }
        catch (IOException)
        {
            // ENODEV: the group was removed while it was read.
            return [];
        }
    }
}
