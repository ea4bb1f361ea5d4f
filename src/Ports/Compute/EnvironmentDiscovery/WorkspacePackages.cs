using System.Text.RegularExpressions;

namespace Coordinator.Ports.Compute;

/// <summary>
/// The packages of a monorepo: the folders its workspace file names (npm, yarn, bun, pnpm, lerna, Cargo, Go), and the
/// modules a Maven or Gradle root lists.
/// </summary>
internal static partial class WorkspacePackages
{
    private const int MaxPatternLength = 256;
    private const int MaxPatterns = 200;
    private static readonly string[] GradleSettings = ["settings.gradle", "settings.gradle.kts"];

    public static IEnumerable<EnvironmentPackage> Find(RepositoryFiles files) =>
        Declared(files, "package.json", NodePatterns(files))
            .Concat(Declared(files, "Cargo.toml", TomlArray(files.Text("Cargo.toml"), CargoMembers())))
            .Concat(Declared(files, "go.mod", GoWork(files)))
            .Concat(Declared(files, "pom.xml", Captures(files.Text("pom.xml"), MavenModule())))
            .Concat(GradleModules(files))
            .DistinctBy(package => package.Path, StringComparer.Ordinal)
            .OrderBy(package => package.Path, StringComparer.Ordinal);

    private static IEnumerable<EnvironmentPackage> Declared(RepositoryFiles files, string manifest, string[] declared)
    {
        var patterns = declared.Where(pattern => pattern.Length is > 0 and <= MaxPatternLength).Take(MaxPatterns).ToArray();
        if (patterns.Length == 0) return [];
        var wanted = patterns.Where(pattern => pattern[0] != '!').Select(Glob).ToArray();
        var unwanted = patterns.Where(pattern => pattern[0] == '!').Select(pattern => Glob(pattern[1..])).ToArray();
        return files.All.Where(path => RepositoryFiles.NameOf(path) == manifest)
            .Select(RepositoryFiles.FolderOf)
            .Where(folder => folder.Length > 0 && wanted.Any(glob => glob.IsMatch(folder)) && !unwanted.Any(glob => glob.IsMatch(folder)))
            .Select(folder => new EnvironmentPackage(folder, NameIn(files, folder, manifest)));
    }

    private static string NameIn(RepositoryFiles files, string folder, string manifest)
    {
        var path = $"{folder}/{manifest}";
        var name = manifest switch
        {
            "package.json" => NodeManifest.Read(files, path)?.Name,
            "Cargo.toml" => Captures(files.Text(path), CargoName()).FirstOrDefault(),
            "go.mod" => Captures(files.Text(path), GoModule()).FirstOrDefault(),
            _ => null,
        };
        return string.IsNullOrWhiteSpace(name) ? RepositoryFiles.NameOf(folder) : name;
    }

    private static string[] NodePatterns(RepositoryFiles files)
    {
        var npm = NodeManifest.Read(files, "package.json")?.Workspaces ?? [];
        var pnpm = Captures(files.Text("pnpm-workspace.yaml"), YamlItem());
        var lerna = files.Json("lerna.json") is { } json && json.TryGetProperty("packages", out var packages) ? NodeManifest.Strings(packages) : [];
        return npm.Concat(pnpm).Concat(lerna).ToArray();
    }

    private static string[] GoWork(RepositoryFiles files) =>
        files.Lines("go.work").Select(line => line.Trim()).Select(line => line.StartsWith("use ", StringComparison.Ordinal) ? line[4..].Trim() : line)
            .Where(line => line.StartsWith("./", StringComparison.Ordinal)).ToArray();

    private static IEnumerable<EnvironmentPackage> GradleModules(RepositoryFiles files) =>
        GradleSettings.SelectMany(files.Lines)
            .Where(line => line.TrimStart().StartsWith("include", StringComparison.Ordinal))
            .SelectMany(line => Captures(line, GradleInclude()))
            .Select(module => module.Trim(':').Replace(':', '/'))
            .Where(folder => folder.Length > 0 && files.HasUnder(folder))
            .Select(folder => new EnvironmentPackage(folder, RepositoryFiles.NameOf(folder)));

    private static string[] TomlArray(string? text, Regex pattern) =>
        text is not null && pattern.Match(text) is { Success: true } match ? Captures(match.Groups["items"].Value, QuotedItem()) : [];

    private static string[] Captures(string? text, Regex pattern) =>
        text is null ? [] : pattern.Matches(text).Select(match => match.Groups["item"].Value.Trim()).Where(item => item.Length > 0).ToArray();

    /// <summary><c>*</c> is one folder's name, <c>**</c> any depth; as the workspace files of all these tools mean it.</summary>
    private static Regex Glob(string pattern)
    {
        var trimmed = pattern.Trim();
        trimmed = (trimmed.StartsWith("./", StringComparison.Ordinal) ? trimmed[2..] : trimmed).TrimEnd('/');
        var escaped = Regex.Escape(trimmed)
            .Replace(@"\*\*/", "(?:[^/]+/)*", StringComparison.Ordinal)
            .Replace(@"/\*\*", "(?:/[^/]+)*", StringComparison.Ordinal)
            .Replace(@"\*\*", ".*", StringComparison.Ordinal)
            .Replace(@"\*", "[^/]*", StringComparison.Ordinal)
            .Replace(@"\?", "[^/]", StringComparison.Ordinal);
        return new Regex($"^{escaped}$", RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);
    }

    [GeneratedRegex("""(?m)^\s*-\s*["']?(?<item>[^"'#\r\n]+)["']?""", RegexOptions.NonBacktracking)]
    private static partial Regex YamlItem();

    [GeneratedRegex(@"(?m)^\s*members\s*=\s*\[(?<items>[^\]]*)\]", RegexOptions.NonBacktracking)]
    private static partial Regex CargoMembers();

    [GeneratedRegex("""["'](?<item>[^"']+)["']""", RegexOptions.NonBacktracking)]
    private static partial Regex QuotedItem();

    [GeneratedRegex("""(?m)^\s*name\s*=\s*"(?<item>[^"]+)""", RegexOptions.NonBacktracking)]
    private static partial Regex CargoName();

    [GeneratedRegex(@"(?m)^module\s+(?<item>\S+)", RegexOptions.NonBacktracking)]
    private static partial Regex GoModule();

    [GeneratedRegex(@"<module>(?<item>[^<]+)</module>", RegexOptions.NonBacktracking)]
    private static partial Regex MavenModule();

    [GeneratedRegex("""["'](?<item>:?[^"']+)["']""", RegexOptions.NonBacktracking)]
    private static partial Regex GradleInclude();
}
