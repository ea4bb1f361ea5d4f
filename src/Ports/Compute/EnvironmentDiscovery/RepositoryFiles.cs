using System.Text.Json;
using System.Text.RegularExpressions;

namespace Coordinator.Ports.Compute;

/// <summary>
/// The files discovery looks at: every path, and the text of those <see cref="EnvironmentDiscovery.Wants"/> picks.
/// Content that cannot be parsed is as good as absent: a repository may hold anything.
/// </summary>
internal sealed partial class RepositoryFiles
{
    private readonly HashSet<string> paths;
    private readonly IReadOnlyDictionary<string, string> contents;

    public RepositoryFiles(IEnumerable<string> paths, IReadOnlyDictionary<string, string> contents)
    {
        this.paths = new(paths, StringComparer.Ordinal);
        this.contents = contents;
        All = this.paths.Order(StringComparer.Ordinal).ToArray();
        Root = All.Where(path => !path.Contains('/', StringComparison.Ordinal)).ToArray();
    }

    /// <summary>Every path, sorted.</summary>
    public IReadOnlyList<string> All { get; }

    /// <summary>The files at the root.</summary>
    public IReadOnlyList<string> Root { get; }

    public bool Has(string path) => paths.Contains(path);

    public bool HasUnder(string folder) => All.Any(path => path.StartsWith(folder + "/", StringComparison.Ordinal));

    public string? Text(string path) => contents.GetValueOrDefault(path);

    public IEnumerable<string> Lines(string path) => Text(path)?.Split('\n').Select(line => line.TrimEnd('\r')) ?? [];

    /// <summary>True when the file is there and mentions the word anywhere.</summary>
    public bool Mentions(string path, string word) => Text(path)?.Contains(word, StringComparison.OrdinalIgnoreCase) ?? false;

    /// <summary>The file as a JSON object, or null.</summary>
    public JsonElement? Json(string path)
    {
        if (Text(path) is not { } text) return null;
        try
        {
            using var document = JsonDocument.Parse(SurrogateEscape().Replace(text.TrimStart('\uFEFF'), @"\ufffd"), new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true });
            return document.RootElement.ValueKind == JsonValueKind.Object ? document.RootElement.Clone() : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>A string value below a path of property names, or null.</summary>
    public static string? Find(JsonElement? root, params ReadOnlySpan<string> path)
    {
        if (root is not { } current) return null;
        foreach (var name in path)
        {
            if (current.ValueKind != JsonValueKind.Object || !current.TryGetProperty(name, out current)) return null;
        }

        return current.ValueKind == JsonValueKind.String ? current.GetString() : null;
    }

    /// <summary>JSON may escape half a character, which no string can hold; none of what is read here needs whole ones either.</summary>
    [GeneratedRegex(@"\\u[dD][89a-fA-F][0-9a-fA-F]{2}", RegexOptions.NonBacktracking)]
    private static partial Regex SurrogateEscape();

    public static string NameOf(string path) => path[(path.LastIndexOf('/') + 1)..];

    public static string FolderOf(string path) => path.LastIndexOf('/') is var at and >= 0 ? path[..at] : "";
}
