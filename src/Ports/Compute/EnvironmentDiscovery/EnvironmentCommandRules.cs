using System.Text.RegularExpressions;

namespace Coordinator.Ports.Compute;

/// <summary>Commands of the JavaScript package managers, from the scripts the manifest declares.</summary>
internal static class NodeCommands
{
    /// <summary>
    /// <c>npm install</c> even with a lock file: <c>npm ci</c> deletes what is installed and refuses a lock file that
    /// is out of step, which is just what people ask an agent to mend.
    /// </summary>
    public static EnvironmentCommands Npm(RepositoryFiles files) => From(files, "npm install", "npm run ", "npm test", "npm start");

    public static EnvironmentCommands Pnpm(RepositoryFiles files) => From(files, "pnpm install", "pnpm run ", "pnpm test", "pnpm start");

    public static EnvironmentCommands Yarn(RepositoryFiles files) => From(files, "yarn install", "yarn run ", "yarn test", "yarn start");

    /// <summary><c>bun test</c> is bun's own runner, so a declared script needs <c>bun run</c>.</summary>
    public static EnvironmentCommands Bun(RepositoryFiles files) => From(files, "bun install", "bun run ", "bun run test", "bun run start");

    private static EnvironmentCommands From(RepositoryFiles files, string install, string run, string test, string start)
    {
        var manifest = NodeManifest.Read(files, "package.json");
        if (manifest is null) return new(install, null, null, null);
        return new(
            install,
            manifest.Has("build") ? run + "build" : null,
            manifest.Has("test") ? test : null,
            manifest.Has("start") ? start : manifest.Has("dev") ? run + "dev" : null);
    }
}

/// <summary>Commands of the Python package managers.</summary>
internal static class PythonCommands
{
    private static readonly string[] Declarations = ["pyproject.toml", "requirements.txt", "requirements-dev.txt"];

    public static EnvironmentCommands Pip(RepositoryFiles files) =>
        new(files.Has("requirements.txt") ? "pip install -r requirements.txt" : "pip install -e .", null, UsesPytest(files) ? "pytest" : null, Start(files, "python"));

    public static EnvironmentCommands Poetry(RepositoryFiles files) =>
        new("poetry install", "poetry build", UsesPytest(files) ? "poetry run pytest" : null, Start(files, "poetry run python"));

    public static EnvironmentCommands Uv(RepositoryFiles files) =>
        new("uv sync", "uv build", UsesPytest(files) ? "uv run pytest" : null, Start(files, "uv run python"));

    private static bool UsesPytest(RepositoryFiles files) =>
        files.Has("pytest.ini") || files.Has("conftest.py") || files.Has("tests/conftest.py") ||
        Declarations.Any(path => files.Mentions(path, "pytest"));

    private static string? Start(RepositoryFiles files, string python) => files.Has("manage.py") ? $"{python} manage.py runserver" : null;
}

/// <summary>Commands of the compiled languages' tools.</summary>
internal static class CompiledCommands
{
    public static EnvironmentCommands Go(RepositoryFiles files) => new("go mod download", "go build ./...", "go test ./...", files.Has("main.go") ? "go run ." : null);

    public static EnvironmentCommands Cargo(RepositoryFiles files) => new("cargo fetch", "cargo build", "cargo test", files.Has("src/main.rs") ? "cargo run" : null);

    public static EnvironmentCommands Dotnet(RepositoryFiles files)
    {
        var projects = files.All.Where(path => path.EndsWith(".csproj", StringComparison.Ordinal)).ToArray();
        var hasTests = projects.Any(path => RepositoryFiles.NameOf(path).Contains("Test", StringComparison.OrdinalIgnoreCase) || files.Mentions(path, "Microsoft.NET.Test.Sdk"));
        var runnable = projects.Where(path => files.Mentions(path, "<OutputType>Exe") || files.Mentions(path, "Microsoft.NET.Sdk.Web")).ToArray();
        var start = runnable is [var only] ? only.Contains('/', StringComparison.Ordinal) ? $"dotnet run --project {Quoted(RepositoryFiles.FolderOf(only))}" : "dotnet run" : null;
        return new("dotnet restore", "dotnet build", hasTests ? "dotnet test" : null, start);
    }

    public static EnvironmentCommands Maven(RepositoryFiles files)
    {
        var maven = files.Has("mvnw") ? "./mvnw" : "mvn";
        return new($"{maven} -B install -DskipTests", $"{maven} -B package", $"{maven} -B test", files.Mentions("pom.xml", "spring-boot-maven-plugin") ? $"{maven} spring-boot:run" : null);
    }

    public static EnvironmentCommands Gradle(RepositoryFiles files)
    {
        var gradle = files.Has("gradlew") ? "./gradlew" : "gradle";
        var build = new[] { "build.gradle", "build.gradle.kts" };
        var start = build.Any(path => files.Mentions(path, "org.springframework.boot")) ? "bootRun" : build.Any(path => files.Mentions(path, "application")) ? "run" : null;
        return new($"{gradle} dependencies", $"{gradle} build", $"{gradle} test", start is null ? null : $"{gradle} {start}");
    }

    private static string Quoted(string path) => path.Any(c => !char.IsAsciiLetterOrDigit(c) && c is not ('/' or '.' or '-' or '_')) ? $"'{path.Replace("'", "'\\''", StringComparison.Ordinal)}'" : path;
}

/// <summary>Commands of Ruby, PHP and make.</summary>
internal static partial class ScriptCommands
{
    /// <summary>In the order make itself looks for them.</summary>
    private static readonly string[] Makefiles = ["GNUmakefile", "makefile", "Makefile"];

    public static EnvironmentCommands Bundler(RepositoryFiles files)
    {
        var test = files.HasUnder("spec") || files.Mentions("Gemfile", "rspec") ? "bundle exec rspec" : files.Has("Rakefile") ? "bundle exec rake test" : null;
        return new("bundle install", null, test, files.Has("bin/rails") ? "bundle exec rails server" : null);
    }

    public static EnvironmentCommands Composer(RepositoryFiles files)
    {
        var scripted = RepositoryFiles.Find(files.Json("composer.json"), "scripts", "test") is not null;
        var test = scripted ? "composer test" : files.Has("phpunit.xml") || files.Has("phpunit.xml.dist") ? "vendor/bin/phpunit" : null;
        return new("composer install", null, test, files.Has("artisan") ? "php artisan serve" : null);
    }

    /// <summary>Never <c>make install</c>: that puts the build's result into the system.</summary>
    public static EnvironmentCommands Make(RepositoryFiles files)
    {
        var makefile = Makefiles.FirstOrDefault(files.Has);
        var targets = makefile is null ? [] : files.Lines(makefile).Select(line => Target().Match(line)).Where(match => match.Success).Select(match => match.Groups["name"].Value).ToHashSet(StringComparer.Ordinal);
        return new(First("deps", "setup", "bootstrap"), First("build", "all") ?? "make", First("test", "check"), First("run", "start", "serve", "dev"));

        string? First(params ReadOnlySpan<string> names)
        {
            foreach (var name in names)
            {
                if (targets.Contains(name)) return $"make {name}";
            }

            return null;
        }
    }

    [GeneratedRegex(@"^(?<name>[A-Za-z0-9_.-]{1,64})\s*:(?:[^=]|$)", RegexOptions.NonBacktracking)]
    private static partial Regex Target();
}
