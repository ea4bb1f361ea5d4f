using System.Globalization;
using System.Text;

namespace Coordinator.Sandbox.Storage;

/// <summary>
/// The folder the box keeps its state in. What belongs to one box (spool, ledger) is kept by generation, so that a
/// workspace that is handed to the next box never brings the old one's numbers along; what belongs to the session
/// (the agent's conversation, what was cloned and installed) is kept beside it.
/// </summary>
internal sealed class BoxState : IDisposable
{
    /// <summary>EWOULDBLOCK: another has the file locked.</summary>
    private const int WouldBlock = 11;

    private readonly string root;
    private readonly FileStream gate;

    private BoxState(string root, string box, FileStream gate)
    {
        this.root = root;
        this.gate = gate;
        SpoolFolder = Path.Combine(box, "spool");
        LedgerFile = Path.Combine(box, "messages.jsonl");
    }

    public string SpoolFolder { get; }

    public string LedgerFile { get; }

    /// <summary>Opens the folder for one box. Null when another program has it open: two must never share a spool.</summary>
    /// <exception cref="SpoolNotRenewedException">The disk does not take so much as the folder.</exception>
    public static BoxState? TryOpen(string root, string sandbox, int generation)
    {
        try
        {
            Directory.CreateDirectory(root);
            return TryLock(Path.Combine(root, "lock")) is { } gate ? Prepare(root, sandbox, generation, gate) : null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new SpoolNotRenewedException(exception);
        }
    }

    private static FileStream? TryLock(string path)
    {
        try
        {
            return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException failure) when (failure.HResult == WouldBlock)
        {
            return null;
        }
    }

    private static BoxState Prepare(string root, string sandbox, int generation, FileStream gate)
    {
        var boxes = Directory.CreateDirectory(Path.Combine(root, "boxes")).FullName;
        var own = Path.Combine(boxes, string.Create(CultureInfo.InvariantCulture, $"{sandbox}-{generation}"));
        foreach (var other in Directory.EnumerateDirectories(boxes).Where(folder => folder != own)) Directory.Delete(other, recursive: true);
        Directory.CreateDirectory(own);
        return new BoxState(root, own, gate);
    }

    /// <summary>A short note of the session's, or null when there is none.</summary>
    public string? Read(string note)
    {
        var path = Path.Combine(root, note);
        return File.Exists(path) ? File.ReadAllText(path).Trim() : null;
    }

    public void Write(string note, string content) => DurableFile.Replace(Path.Combine(root, note), Encoding.UTF8.GetBytes(content));

    public void Delete(string note) => File.Delete(Path.Combine(root, note));

    public void Dispose() => gate.Dispose();
}
