namespace Coordinator.Ports.Compute;

/// <summary>
/// One way to install a repository's dependencies. <see cref="Locks"/> are the files that prove it is used;
/// <see cref="Manifests"/> those that suggest it when no lock file is there.
/// </summary>
internal sealed record PackageManager(
    string Name,
    Func<RepositoryFiles, string, bool> Locks,
    Func<RepositoryFiles, string, bool> Manifests,
    Func<RepositoryFiles, EnvironmentCommands> Commands);

/// <summary>
/// The package managers in order of precedence. A lock file beats a manifest; among several JavaScript lock files the
/// manifest's own <c>packageManager</c> field decides, and without it the order here.
/// </summary>
internal static class PackageManagers
{
    private static readonly string[] JavaScript = ["npm", "pnpm", "yarn", "bun"];

    private static readonly PackageManager[] Precedence =
    [
        new("npm", Named("package-lock.json", "npm-shrinkwrap.json"), DeclaredIn("npm", orUndeclared: true), NodeCommands.Npm),
        new("pnpm", Named("pnpm-lock.yaml"), DeclaredIn("pnpm"), NodeCommands.Pnpm),
        new("yarn", Named("yarn.lock"), DeclaredIn("yarn"), NodeCommands.Yarn),
        new("bun", Named("bun.lock", "bun.lockb"), DeclaredIn("bun"), NodeCommands.Bun),
        new("pip", Named("requirements.txt"), PlainPython, PythonCommands.Pip),
        new("poetry", Named("poetry.lock"), Sectioned("[tool.poetry"), PythonCommands.Poetry),
        new("uv", Named("uv.lock"), Sectioned("[tool.uv"), PythonCommands.Uv),
        new("go", Named("go.sum"), Named("go.mod", "go.work"), CompiledCommands.Go),
        new("cargo", Named("Cargo.lock"), Named("Cargo.toml"), CompiledCommands.Cargo),
        new("dotnet", Named("packages.lock.json"), DotnetProject, CompiledCommands.Dotnet),
        new("maven", Never, Named("pom.xml"), CompiledCommands.Maven),
        new("gradle", Named("gradle.lockfile"), Named("build.gradle", "build.gradle.kts", "settings.gradle", "settings.gradle.kts"), CompiledCommands.Gradle),
        new("bundler", Named("Gemfile.lock"), Named("Gemfile"), ScriptCommands.Bundler),
        new("composer", Named("composer.lock"), Named("composer.json"), ScriptCommands.Composer),
        new("make", Never, Named("Makefile", "makefile", "GNUmakefile"), ScriptCommands.Make),
    ];

    /// <summary>The one to use, of those at the root.</summary>
    public static PackageManager? FindMain(RepositoryFiles files) => FindIn(files, "") is [var main, ..] ? main : null;

    /// <summary>Those of the root, then those of any other folder.</summary>
    public static IReadOnlyList<PackageManager> FindAll(RepositoryFiles files)
    {
        var folders = files.All.Where(EnvironmentDiscovery.Wants).Select(RepositoryFiles.FolderOf).Distinct(StringComparer.Ordinal);
        var nested = folders.Where(folder => folder.Length > 0).SelectMany(folder => FindIn(files, folder)).Distinct().OrderBy(manager => Array.IndexOf(Precedence, manager));
        return FindIn(files, "").Concat(nested).Distinct().ToArray();
    }

    private static List<PackageManager> FindIn(RepositoryFiles files, string folder)
    {
        var prefix = folder.Length == 0 ? "" : folder + "/";
        var locked = Precedence.Where(manager => manager.Locks(files, prefix)).ToList();
        var implied = Precedence.Where(manager => !locked.Contains(manager) && manager.Manifests(files, prefix) && !IsAnsweredBy(locked, manager));
        return Declared(locked, files, prefix).Concat(implied).ToList();
    }

    /// <summary>A lock file of one language's manager says that its siblings are not used, whatever the manifest could mean.</summary>
    private static bool IsAnsweredBy(List<PackageManager> locked, PackageManager manager) => manager.Name switch
    {
        "npm" or "pnpm" or "yarn" or "bun" => locked.Any(other => JavaScript.Contains(other.Name)),
        "pip" or "poetry" or "uv" => locked.Any(other => other.Name is "pip" or "poetry" or "uv"),
        _ => false,
    };

    private static IEnumerable<PackageManager> Declared(List<PackageManager> locked, RepositoryFiles files, string prefix)
    {
        if (locked.Count(manager => JavaScript.Contains(manager.Name)) < 2) return locked;
        var declared = NodeManifest.Read(files, prefix + "package.json")?.PackageManager;
        return locked.OrderByDescending(manager => manager.Name == declared);
    }

    private static Func<RepositoryFiles, string, bool> Named(params string[] names) => (files, prefix) => names.Any(name => files.Has(prefix + name));

    private static Func<RepositoryFiles, string, bool> Sectioned(string section) => (files, prefix) => files.Mentions(prefix + "pyproject.toml", section);

    private static Func<RepositoryFiles, string, bool> DeclaredIn(string manager, bool orUndeclared = false) => (files, prefix) =>
        files.Has(prefix + "package.json") && (NodeManifest.Read(files, prefix + "package.json")?.PackageManager is { } declared ? declared == manager : orUndeclared);

    private static bool PlainPython(RepositoryFiles files, string prefix) =>
        files.Has(prefix + "setup.py") ||
        (files.Has(prefix + "pyproject.toml") && !files.Mentions(prefix + "pyproject.toml", "[tool.poetry") && !files.Mentions(prefix + "pyproject.toml", "[tool.uv"));

    private static bool DotnetProject(RepositoryFiles files, string prefix) =>
        files.All.Any(path => path.StartsWith(prefix, StringComparison.Ordinal) && path.IndexOf('/', prefix.Length) < 0 &&
            Path.GetExtension(path) is ".sln" or ".slnx" or ".csproj" or ".fsproj" or ".vbproj");

    private static bool Never(RepositoryFiles files, string prefix) => false;
}
