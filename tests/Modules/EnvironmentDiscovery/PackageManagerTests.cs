using Coordinator.Ports.Compute;
using Xunit;

namespace Coordinator.Tests.Modules.EnvironmentDiscoveryTests;

public sealed class PackageManagerTests
{
    [Theory]
    [InlineData("package-lock.json", "npm", "npm install")]
    [InlineData("pnpm-lock.yaml", "pnpm", "pnpm install")]
    [InlineData("yarn.lock", "yarn", "yarn install")]
    [InlineData("bun.lockb", "bun", "bun install")]
    [InlineData("requirements.txt", "pip", "pip install -r requirements.txt")]
    [InlineData("poetry.lock", "poetry", "poetry install")]
    [InlineData("uv.lock", "uv", "uv sync")]
    [InlineData("go.mod", "go", "go mod download")]
    [InlineData("Cargo.lock", "cargo", "cargo fetch")]
    [InlineData("App.csproj", "dotnet", "dotnet restore")]
    [InlineData("pom.xml", "maven", "mvn -B install -DskipTests")]
    [InlineData("build.gradle.kts", "gradle", "gradle dependencies")]
    [InlineData("Gemfile.lock", "bundler", "bundle install")]
    [InlineData("composer.lock", "composer", "composer install")]
    public void Each_package_manager_is_known_by_its_file(string file, string name, string install)
    {
        var found = new Repository().With("README.md").With(file).Discover();

        Assert.Equal(name, found.PackageManager);
        Assert.Equal(install, found.Commands.Install);
    }

    [Fact]
    public void The_first_lock_file_in_order_of_precedence_wins()
    {
        var found = new Repository().With("package.json", "{}").With("Makefile").With("yarn.lock").With("package-lock.json").With("Cargo.toml").Discover();

        Assert.Equal("npm", found.PackageManager);
        Assert.Equal(["npm", "yarn", "cargo", "make"], found.PackageManagers);
    }

    [Fact]
    public void A_lock_file_beats_a_manifest_of_a_manager_that_comes_earlier()
    {
        var found = new Repository().With("package.json", "{}").With("Cargo.toml").With("Cargo.lock").Discover();

        Assert.Equal("cargo", found.PackageManager);
    }

    [Fact]
    public void The_manifest_says_which_of_two_lock_files_counts()
    {
        var found = new Repository().With("package.json", """{ "packageManager": "pnpm@9.1.0" }""").With("package-lock.json").With("pnpm-lock.yaml").Discover();

        Assert.Equal("pnpm", found.PackageManager);
    }

    [Fact]
    public void A_manifest_without_a_lock_file_is_enough()
    {
        Assert.Equal("npm", new Repository().With("package.json", "{}").Discover().PackageManager);
        Assert.Equal("yarn", new Repository().With("package.json", """{ "packageManager": "yarn@4.0.0" }""").Discover().PackageManager);
        Assert.Equal("poetry", new Repository().With("pyproject.toml", "[tool.poetry]\nname = \"x\"").Discover().PackageManager);
        Assert.Equal("pip", new Repository().With("pyproject.toml", "[project]\nname = \"x\"").Discover().PackageManager);
    }

    [Fact]
    public void An_npm_repository_is_installed_with_npm_install_even_with_a_lock_file()
    {
        var found = new Repository().With("package.json", """{ "scripts": { "build": "tsc", "test": "node --test", "dev": "vite" } }""").With("package-lock.json", "{}").Discover();

        Assert.Equal(new EnvironmentCommands("npm install", "npm run build", "npm test", "npm run dev"), found.Commands);
    }

    [Fact]
    public void The_test_that_npm_init_writes_is_no_test()
    {
        var found = new Repository().With("package.json", """{ "scripts": { "test": "echo \"Error: no test specified\" && exit 1" } }""").Discover();

        Assert.Null(found.Commands.Test);
    }

    [Fact]
    public void Make_never_installs_into_the_system()
    {
        var found = new Repository().With("Makefile", "CC := gcc\ninstall:\n\tcp a /usr/bin\ntest: all\n\t./t\nall:\n\tcc\n").Discover();

        Assert.Equal(new EnvironmentCommands(null, "make all", "make test", null), found.Commands);
    }

    [Fact]
    public void An_empty_repository_needs_nothing()
    {
        var found = new Repository().Discover();

        Assert.Null(found.PackageManager);
        Assert.Empty(found.PackageManagers);
        Assert.Equal(EnvironmentCommands.None, found.Commands);
        Assert.Equal(0, found.FileCount);
    }

    [Fact]
    public void A_manager_found_only_in_a_subfolder_is_named_but_nothing_is_run_at_the_root()
    {
        var found = new Repository().With("web/package.json", "{}").With("web/yarn.lock").Discover();

        Assert.Null(found.PackageManager);
        Assert.Equal(["yarn"], found.PackageManagers);
        Assert.Null(found.Commands.Install);
    }

    [Fact]
    public void Dependencies_that_were_committed_do_not_count_as_the_repository_s_own()
    {
        var found = new Repository().With("go.mod", "module x\n\ngo 1.22\n").With("vendor/a/Cargo.toml").With("node_modules/b/package.json", "{}").Discover();

        Assert.Equal(["go"], found.PackageManagers);
        Assert.Equal(3, found.FileCount);
    }
}
