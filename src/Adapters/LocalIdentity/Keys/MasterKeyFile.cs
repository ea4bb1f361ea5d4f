using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Coordinator.Adapters.LocalIdentity;

/// <summary>
/// The master key in a file that only its owner can read. Hosts that start at the same moment agree on one key,
/// because the file appears complete or not at all.
/// </summary>
internal static class MasterKeyFile
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode Refused = UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.GroupWrite;

    /// <summary>The keys in the file, present one first; null when it is not there.</summary>
    /// <exception cref="InvalidOperationException">The file holds something else, or others may read it.</exception>
    public static IReadOnlyList<MasterKey>? Read(string path)
    {
        var full = Path.GetFullPath(path);
        if (!File.Exists(full)) return null;
        RefuseIfOpenToOthers(full);
        var lines = File.ReadAllLines(full).Select(line => line.Trim()).Where(line => line.Length > 0).ToList();
        if (lines.Count == 0) throw new InvalidOperationException($"The key file {full} is empty; put the master key back (base64 of 32 bytes), for without it no stored secret can be opened.");
        return [.. lines.Select((line, index) => MasterKey.FromBase64(line)
            ?? throw new InvalidOperationException($"Line {index + 1} of the key file {full} is not base64 of 32 bytes."))];
    }

    /// <summary>
    /// Makes the file with a new key, where it is not there by now. Never its folder: one that is not there is one that was not mounted, or
    /// another than was meant.
    /// </summary>
    /// <exception cref="InvalidOperationException">There is no such folder.</exception>
    public static void Create(string path)
    {
        var full = Path.GetFullPath(path);
        var folder = Path.GetDirectoryName(full)!;
        if (!Directory.Exists(folder)) throw new InvalidOperationException($"The folder {folder} of the key file Vault:KeyFile ({full}) is not there, and no key was made: correct the setting, mount the folder, or make it.");
        var draft = Path.Combine(folder, $".{Path.GetFileName(full)}.{RandomNumberGenerator.GetHexString(16, lowercase: true)}");
        try
        {
            WriteDurably(draft);

            // A move that is not to overwrite looks first and then overwrites all the same: of two hosts each would go on with
            // its own key. A link fails when the name is taken: then another host was first, and its key is the installation's.
            if (NativeMethods.Link(draft, full) != 0 && !File.Exists(full))
                throw new IOException($"The key file {full} could not be made: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}.");
        }
        finally
        {
            File.Delete(draft);
        }
    }

    private static void WriteDurably(string path)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = OwnerOnly;
        using var file = new FileStream(path, options);
        using var writer = new StreamWriter(file);
        writer.WriteLine(Convert.ToBase64String(RandomNumberGenerator.GetBytes(MasterKey.Size)));
        writer.Flush();
        file.Flush(flushToDisk: true);
    }

    private static void RefuseIfOpenToOthers(string full)
    {
        if (OperatingSystem.IsWindows()) return;
        var mode = File.GetUnixFileMode(full);
        if ((mode & Refused) != UnixFileMode.None) throw new InvalidOperationException($"The key file {full} is open to others ({mode}); run: chmod 600 {full}");
    }
}
