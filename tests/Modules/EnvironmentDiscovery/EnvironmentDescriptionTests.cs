using System.Text.Json;
using Coordinator.Ports.Compute;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Coordinator.Tests.Modules.EnvironmentDiscoveryTests;

public sealed class EnvironmentDescriptionTests
{
    [Fact]
    public void Languages_are_counted_and_the_most_used_comes_first()
    {
        var found = new Repository().With("a.ts").With("b.tsx").With("c.py").With("README.md").Discover();

        Assert.Equal([new EnvironmentLanguage("TypeScript", 2), new EnvironmentLanguage("Python", 1)], found.Languages);
    }

    [Fact]
    public void Runtimes_carry_the_version_their_files_ask_for()
    {
        var found = new Repository()
            .With("package.json", """{ "engines": { "node": ">=20" } }""")
            .With("go.mod", "module example\n\ngo 1.22.1\n")
            .With("pyproject.toml", "[project]\nrequires-python = \">=3.11\"\n")
            .With("global.json", """{ "sdk": { "version": "10.0.100" } }""")
            .With(".tool-versions", "ruby 3.3.0\n# nodejs 1\n")
            .Discover();

        Assert.Equal(
            [new("node", ">=20"), new("python", ">=3.11"), new("go", "1.22.1"), new("dotnet", "10.0.100"), new("ruby", "3.3.0")],
            found.Runtimes);
    }

    [Fact]
    public void A_runtime_that_is_only_implied_has_no_version()
    {
        Assert.Equal([new EnvironmentRuntime("node", null)], new Repository().With("package.json", "{}").Discover().Runtimes);
    }

    [Fact]
    public void Workspace_packages_are_those_the_patterns_name_and_none_they_exclude()
    {
        var found = new Repository()
            .With("package.json", """{ "workspaces": ["packages/*", "apps/**", "!packages/old"] }""")
            .With("packages/a/package.json", """{ "name": "@x/a" }""")
            .With("packages/a/inner/package.json", """{ "name": "inner" }""")
            .With("packages/old/package.json", "{}")
            .With("apps/web/client/package.json", "not json")
            .Discover();

        Assert.Equal([new("apps/web/client", "client"), new("packages/a", "@x/a")], found.Packages);
    }

    [Theory]
    [InlineData("pnpm-workspace.yaml", "packages:\n  - 'libs/*'\n", "libs/one/package.json", """{ "name": "one" }""")]
    [InlineData("Cargo.toml", "[workspace]\nmembers = [\n  \"libs/*\",\n]\n", "libs/one/Cargo.toml", "[package]\nname = \"one\"\n")]
    [InlineData("go.work", "go 1.22\nuse (\n\t./libs/one\n)\n", "libs/one/go.mod", "module one\n")]
    [InlineData("pom.xml", "<modules><module>libs/one</module></modules>", "libs/one/pom.xml", "<project/>")]
    [InlineData("settings.gradle.kts", "include(\":libs:one\")", "libs/one/build.gradle.kts", "")]
    public void Each_kind_of_workspace_file_is_read(string file, string content, string member, string memberContent)
    {
        var found = new Repository().With(file, content).With(member, memberContent).Discover();

        Assert.Equal([new EnvironmentPackage("libs/one", "one")], found.Packages);
    }

    [Fact]
    public void Environment_variables_are_named_and_their_values_left_where_they_are()
    {
        var found = new Repository().With(".env.example", "# keys\nAPI_URL=https://example.com\nexport TOKEN=abc\nAPI_URL=again\nnot a variable\n").With(".env", "REAL=secret").Discover();

        Assert.Equal(["API_URL", "TOKEN"], found.EnvironmentVariables);
    }

    [Theory]
    [InlineData("Dockerfile", true, false)]
    [InlineData("deploy/api.dockerfile", true, false)]
    [InlineData(".devcontainer/devcontainer.json", false, true)]
    [InlineData(".devcontainer.json", false, true)]
    [InlineData("docs/Dockerfiles.md", false, false)]
    public void Container_files_are_seen(string path, bool dockerfile, bool devcontainer)
    {
        var found = new Repository().With(path).Discover();

        Assert.Equal((dockerfile, devcontainer), (found.HasDockerfile, found.HasDevcontainer));
    }

    [Fact]
    public void The_json_form_is_the_protocol_s()
    {
        var json = JsonSerializer.Serialize(new Repository().With("package.json", """{ "name": "x" }""").With("index.js").Discover(), EnvironmentJson.Default.DetectedEnvironment);

        Assert.Equal(
            """{"packageManager":"npm","packageManagers":["npm"],"fileCount":2,"commands":{"install":"npm install","build":null,"test":null,"start":null},"languages":[{"name":"JavaScript","files":1}],"runtimes":[{"name":"node","version":null}],"packages":[],"environmentVariables":[],"hasDockerfile":false,"hasDevcontainer":false,"commit":"c0ffee"}""",
            json);
    }

    [Theory]
    [InlineData("""{ "name": "\ud800", "scripts": { "test": "\udfff" }, "workspaces": ["**/**/**", "[", "("] }""")]
    [InlineData("[]")]
    [InlineData("{")]
    [InlineData("{ \"scripts\": [], \"engines\": 4, \"workspaces\": { \"packages\": 1 } }")]
    public void A_hostile_manifest_is_survived(string manifest)
    {
        Assert.Equal("npm", new Repository().With("package.json", manifest).With("a/package.json", manifest).Discover().PackageManager);
    }

    [Fact]
    public void Discovery_never_throws_for_what_files_hold()
    {
        string[] paths = ["package.json", "pnpm-workspace.yaml", "Cargo.toml", "pyproject.toml", "go.work", ".tool-versions", "Makefile", ".env.example", "settings.gradle", "pom.xml", "composer.json", "a/package.json"];
        Prop.ForAll<string?>(text =>
        {
            var repository = new Repository();
            foreach (var path in paths) repository.With(path, text ?? "");
            return repository.Discover().FileCount == paths.Length;
        }).QuickCheckThrowOnFailure();
    }
}
