namespace Coordinator.Modules.Sandboxes.Egress;

/// <summary>What boxes may reach when nothing is configured: where repositories are, and where their packages come from.</summary>
public static class EgressDefaults
{
    public static IReadOnlyList<string> Hosts { get; } =
    [
        // Repositories
        "github.com", "*.github.com", "*.githubusercontent.com", "gitlab.com", "*.gitlab.com", "bitbucket.org", "*.bitbucket.org", "codeberg.org",

        // JavaScript
        "registry.npmjs.org", "registry.yarnpkg.com", "repo.yarnpkg.com",

        // Python
        "pypi.org", "files.pythonhosted.org",

        // Rust
        "crates.io", "index.crates.io", "static.crates.io", "static.rust-lang.org",

        // Go
        "proxy.golang.org", "sum.golang.org",

        // .NET
        "nuget.org", "*.nuget.org",

        // Java
        "repo.maven.apache.org", "repo1.maven.org", "plugins.gradle.org", "services.gradle.org", "plugins-artifacts.gradle.org",

        // Ruby and PHP
        "rubygems.org", "*.rubygems.org", "packagist.org", "*.packagist.org", "getcomposer.org",

        // Debian and Ubuntu
        "deb.debian.org", "security.debian.org", "archive.ubuntu.com", "security.ubuntu.com", "*.archive.ubuntu.com", "ports.ubuntu.com",
    ];
}
