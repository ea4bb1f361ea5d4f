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
    public static BoxState? TryOpen(string root, string sandbox, int generation)
    {
        Directory.CreateDirectory(root);
        FileStream gate;
        try
        {
            gate = new FileStream(Path.Combine(root, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException)
        {
            return null;
        }

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
