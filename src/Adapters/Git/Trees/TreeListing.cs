using System.Text;

namespace Coordinator.Adapters.Git.Trees;

/// <summary>A file of a tree: its path and the id of its content.</summary>
internal sealed record TreeFile(string Path, string ObjectId, bool IsText);

/// <summary>Reads what <c>git ls-tree -r -z</c> and <c>git cat-file --batch</c> write.</summary>
internal static class TreeListing
{
    private const string SymbolicLink = "120000";

    /// <summary>The files of a tree; null when they are more than <paramref name="most"/>. Submodules are no files.</summary>
    public static async Task<IReadOnlyList<TreeFile>?> ReadAsync(Stream output, int most, CancellationToken cancellationToken)
    {
        var files = new List<TreeFile>();
        using var reader = new StreamReader(output, Encoding.UTF8);
        var pending = new StringBuilder();
        var buffer = new char[16 * 1024];
        int read;
        while ((read = await reader.ReadAsync(buffer, cancellationToken)) > 0)
        {
            var from = 0;
            for (int end; (end = Array.IndexOf(buffer, '\0', from, read - from)) >= 0; from = end + 1)
            {
                pending.Append(buffer, from, end - from);
                Add(files, pending.ToString());
                pending.Clear();
            }

            if (files.Count > most) return null;
            pending.Append(buffer, from, read - from);
        }

        return files;
    }

    /// <summary>
    /// The contents of <paramref name="files"/> in the order they were asked for, each cut at <paramref name="most"/>
    /// bytes. What was too large to be fetched is left out.
    /// </summary>
    public static async Task<IReadOnlyDictionary<string, string>> ReadContentsAsync(Stream output, IReadOnlyList<TreeFile> files, int most, CancellationToken cancellationToken)
    {
        var contents = new Dictionary<string, string>(StringComparer.Ordinal);
        using var buffered = new BufferedStream(output, 64 * 1024);
        foreach (var file in files)
        {
            var header = await ReadLineAsync(buffered, cancellationToken);
            if (header is null) break;
            if (header.EndsWith(" missing", StringComparison.Ordinal)) continue;
            var size = long.Parse(header[(header.LastIndexOf(' ') + 1)..], System.Globalization.CultureInfo.InvariantCulture);
            var content = new byte[(int)Math.Min(size, most)];
            await buffered.ReadExactlyAsync(content, cancellationToken);
            await SkipAsync(buffered, size - content.Length + 1, cancellationToken);
            contents[file.Path] = Encoding.UTF8.GetString(content).TrimEnd('\uFFFD');
        }

        return contents;
    }

    private static void Add(List<TreeFile> files, string entry)
    {
        // mode SP type SP object TAB path
        var tab = entry.IndexOf('\t', StringComparison.Ordinal);
        var head = entry[..Math.Max(tab, 0)].Split(' ');
        if (head.Length == 3 && head[1] == "blob") files.Add(new(entry[(tab + 1)..], head[2], head[0] != SymbolicLink));
    }

    private static async Task<string?> ReadLineAsync(BufferedStream stream, CancellationToken cancellationToken)
    {
        var line = new StringBuilder();
        var one = new byte[1];
        while (await stream.ReadAsync(one, cancellationToken) == 1)
        {
            if (one[0] == '\n') return line.ToString();
            line.Append((char)one[0]);
        }

        return null;
    }

    private static async Task SkipAsync(BufferedStream stream, long bytes, CancellationToken cancellationToken)
    {
        var waste = new byte[16 * 1024];
        while (bytes > 0)
        {
            var read = await stream.ReadAsync(waste.AsMemory(0, (int)Math.Min(bytes, waste.Length)), cancellationToken);
            if (read == 0) return;
            bytes -= read;
        }
    }
}
