using System.Text.RegularExpressions;

namespace Coordinator.Ports.Compute;

/// <summary>Which runtimes the root's files ask for, and in which version.</summary>
internal static partial class EnvironmentRuntimes
{
    private const int MaxVersionLength = 64;

    private static readonly Dictionary<string, string> ToolVersionNames = new(StringComparer.Ordinal) { ["nodejs"] = "node", ["golang"] = "go" };

    public static IReadOnlyList<EnvironmentRuntime> Find(RepositoryFiles files)
    {
        var pinned = ToolVersions(files);
        return Rules(files)
            .Where(rule => rule.Present || pinned.ContainsKey(rule.Name))
            .Select(rule => new EnvironmentRuntime(rule.Name, Clean(rule.Version ?? pinned.GetValueOrDefault(rule.Name))))
            .ToArray();
    }

    private static IEnumerable<(string Name, bool Present, string? Version)> Rules(RepositoryFiles files)
    {
        var node = FirstLine(files, ".nvmrc") ?? FirstLine(files, ".node-version") ?? NodeManifest.Read(files, "package.json")?.NodeVersion;
        yield return ("node", node is not null || files.Has("package.json"), node);
        yield return ("bun", files.Has("bun.lock") || files.Has("bun.lockb"), null);
        var python = FirstLine(files, ".python-version") ?? Capture(files, "pyproject.toml", RequiresPython()) ?? Capture(files, "runtime.txt", PythonRuntime());
        yield return ("python", python is not null || files.Has("pyproject.toml") || files.Has("requirements.txt") || files.Has("setup.py"), python);
        yield return ("go", files.Has("go.mod") || files.Has("go.work"), Capture(files, "go.mod", GoDirective()) ?? Capture(files, "go.work", GoDirective()));
        var rust = Capture(files, "rust-toolchain.toml", RustChannel()) ?? FirstLine(files, "rust-toolchain") ?? Capture(files, "Cargo.toml", RustVersion());
        yield return ("rust", rust is not null || files.Has("Cargo.toml"), rust);
        yield return ("dotnet", files.Root.Any(path => Path.GetExtension(path) is ".sln" or ".slnx" or ".csproj" or ".fsproj") || files.Has("global.json"), Dotnet(files));
        var java = FirstLine(files, ".java-version") ?? Capture(files, "pom.xml", MavenRelease());
        yield return ("java", java is not null || files.Has("pom.xml") || files.Has("build.gradle") || files.Has("build.gradle.kts"), java);
        var ruby = FirstLine(files, ".ruby-version") ?? Capture(files, "Gemfile", GemfileRuby());
        yield return ("ruby", ruby is not null || files.Has("Gemfile"), ruby);
        yield return ("php", files.Has("composer.json"), RepositoryFiles.Find(files.Json("composer.json"), "require", "php"));
    }

    private static string? Dotnet(RepositoryFiles files) =>
        RepositoryFiles.Find(files.Json("global.json"), "sdk", "version") ??
        files.All.Where(path => path.EndsWith(".csproj", StringComparison.Ordinal)).Select(path => Capture(files, path, TargetFramework())).FirstOrDefault(version => version is not null);

    private static Dictionary<string, string> ToolVersions(RepositoryFiles files)
    {
        var versions = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var line in files.Lines(".tool-versions"))
        {
            if (line.Split(' ', '\t', StringSplitOptions.RemoveEmptyEntries) is [var tool, var version, ..] && tool[0] != '#')
            {
                versions[ToolVersionNames.GetValueOrDefault(tool, tool)] = version;
            }
        }

        return versions;
    }

    private static string? FirstLine(RepositoryFiles files, string path) =>
        files.Lines(path).Select(line => line.Trim()).FirstOrDefault(line => line.Length > 0 && line[0] is not ('#' or '['));

    private static string? Capture(RepositoryFiles files, string path, Regex pattern) =>
        files.Text(path) is { } text && pattern.Match(text) is { Success: true } match ? match.Groups["version"].Value : null;

    private static string? Clean(string? version)
    {
        var trimmed = version?.Trim();
        return string.IsNullOrEmpty(trimmed) ? null : trimmed.Length <= MaxVersionLength ? trimmed : trimmed[..MaxVersionLength];
    }

    [GeneratedRegex("""(?m)^\s*requires-python\s*=\s*["'](?<version>[^"']+)["']""", RegexOptions.NonBacktracking)]
    private static partial Regex RequiresPython();

    [GeneratedRegex(@"python-(?<version>[0-9.]+)", RegexOptions.NonBacktracking)]
    private static partial Regex PythonRuntime();

    [GeneratedRegex(@"(?m)^go\s+(?<version>[0-9][^\s]*)", RegexOptions.NonBacktracking)]
    private static partial Regex GoDirective();

    [GeneratedRegex("""(?m)^\s*channel\s*=\s*"(?<version>[^"]+)""", RegexOptions.NonBacktracking)]
    private static partial Regex RustChannel();

    [GeneratedRegex("""(?m)^\s*rust-version\s*=\s*"(?<version>[^"]+)""", RegexOptions.NonBacktracking)]
    private static partial Regex RustVersion();

    [GeneratedRegex(@"<TargetFramework>(?<version>[^<]+)</TargetFramework>", RegexOptions.NonBacktracking)]
    private static partial Regex TargetFramework();

    [GeneratedRegex(@"<(?:maven\.compiler\.release|java\.version|maven\.compiler\.source)>(?<version>[^<]+)<", RegexOptions.NonBacktracking)]
    private static partial Regex MavenRelease();

    [GeneratedRegex("""(?m)^\s*ruby\s+["'](?<version>[^"']+)["']""", RegexOptions.NonBacktracking)]
    private static partial Regex GemfileRuby();
}
