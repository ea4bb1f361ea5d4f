using System.Text.RegularExpressions;

namespace Coordinator.Ports.Compute;

/// <summary>
/// Names what a repository needs from its files alone: pure, without I/O, the same in the control plane (over a tree it
/// listed) and in the box (over the clone).
/// </summary>
public static partial class EnvironmentDiscovery
{
    private const int MaxNames = 200;
    private const int MaxLanguages = 12;
    private const int MaxWantedDepth = 4;

    private static readonly string[] Vendored = ["node_modules/", "vendor/", "third_party/", ".venv/", "dist/", "target/"];

    private static readonly HashSet<string> WantedNames = new(StringComparer.Ordinal)
    {
        "package.json", "pnpm-workspace.yaml", "lerna.json", "pyproject.toml", "requirements.txt", "requirements-dev.txt", "setup.py",
        "runtime.txt", "go.mod", "go.work", "Cargo.toml", "rust-toolchain", "rust-toolchain.toml", "global.json", "pom.xml", "build.gradle",
        "build.gradle.kts", "settings.gradle", "settings.gradle.kts", "Gemfile", "composer.json", "Makefile", "makefile", "GNUmakefile",
        ".nvmrc", ".node-version", ".python-version", ".ruby-version", ".java-version", ".tool-versions",
    };

    /// <summary>Whether <see cref="Discover"/> reads the text of this path; give it to what lists the repository.</summary>
    public static bool Wants(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        if (path.Count(c => c == '/') > MaxWantedDepth || IsVendored(path)) return false;
        var name = RepositoryFiles.NameOf(path);
        return WantedNames.Contains(name) || IsVariablesExample(name) || name.EndsWith(".csproj", StringComparison.Ordinal);
    }

    /// <summary>
    /// Describes the repository. <paramref name="paths"/> are all its files, with forward slashes, relative to the root;
    /// <paramref name="contents"/> the text of those <see cref="Wants"/> picked. Never throws for what a file holds.
    /// </summary>
    public static DetectedEnvironment Discover(IReadOnlyCollection<string> paths, IReadOnlyDictionary<string, string> contents, string? commit)
    {
        ArgumentNullException.ThrowIfNull(paths);
        ArgumentNullException.ThrowIfNull(contents);
        var own = paths.Where(path => !IsVendored(path)).ToArray();
        var files = new RepositoryFiles(own, contents);
        var managers = PackageManagers.FindAll(files);
        var main = PackageManagers.FindMain(files);
        return new DetectedEnvironment(
            main?.Name,
            managers.Select(manager => manager.Name).ToArray(),
            paths.Count,
            main?.Commands(files) ?? EnvironmentCommands.None,
            EnvironmentLanguages.Count(files).Take(MaxLanguages).ToArray(),
            EnvironmentRuntimes.Find(files),
            WorkspacePackages.Find(files).Take(MaxNames).ToArray(),
            Variables(files),
            files.All.Any(IsDockerfile),
            files.All.Any(path => path is ".devcontainer.json" || (path.StartsWith(".devcontainer/", StringComparison.Ordinal) && RepositoryFiles.NameOf(path) == "devcontainer.json")),
            commit);
    }

    private static string[] Variables(RepositoryFiles files) =>
        files.All.Where(path => IsVariablesExample(RepositoryFiles.NameOf(path)))
            .SelectMany(files.Lines)
            .Select(line => VariableLine().Match(line))
            .Where(match => match.Success)
            .Select(match => match.Groups["name"].Value)
            .Distinct(StringComparer.Ordinal)
            .Take(MaxNames)
            .ToArray();

    private static bool IsVariablesExample(string name) =>
        name is ".env.example" or ".env.sample" or ".env.template" or ".env.dist" or "env.example" or ".env.local.example";

    private static bool IsDockerfile(string path)
    {
        var name = RepositoryFiles.NameOf(path);
        return name is "Dockerfile" or "Containerfile" || name.StartsWith("Dockerfile.", StringComparison.Ordinal) || name.EndsWith(".dockerfile", StringComparison.OrdinalIgnoreCase);
    }

    private static bool IsVendored(string path) =>
        Vendored.Any(folder => path.StartsWith(folder, StringComparison.Ordinal) || path.Contains("/" + folder, StringComparison.Ordinal));

    [GeneratedRegex(@"^\s*(?:export\s+)?(?<name>[A-Za-z_][A-Za-z0-9_]{0,127})\s*=", RegexOptions.NonBacktracking)]
    private static partial Regex VariableLine();
}
