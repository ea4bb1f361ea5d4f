using System.Runtime.Versioning;
using Coordinator.Cli.Doctor;
using Xunit;

namespace Coordinator.Tests.Journey;

/// <summary>The doctor looks, and leaves nothing behind.</summary>
[SupportedOSPlatform("linux")]
public sealed class DoctorTests : IDisposable
{
    private readonly DirectoryInfo root = Directory.CreateTempSubdirectory("coordinator-test-");

    [Fact]
    public async Task An_agent_that_makes_folders_when_it_is_asked_for_its_version_makes_them_in_no_ones_home()
    {
        var program = Path.Combine(Directory.CreateDirectory(Path.Combine(root.FullName, "node_modules", "opencode-linux-x64", "bin")).FullName, "opencode");
        await File.WriteAllTextAsync(program, """
            #!/bin/sh
            folder="${XDG_CONFIG_HOME:-$HOME/.config}/opencode"
            mkdir -p "$folder" && echo "$folder"
            """);
        File.SetUnixFileMode(program, UnixFileMode.UserRead | UnixFileMode.UserExecute);

        var findings = await LocalChecks.RunAsync(new Uri("http://elsewhere.example"), root.FullName, CancellationToken.None);

        var found = Assert.Single(findings, finding => finding.Name == "OpenCode");
        Assert.Equal(Health.Good, found.Health);
        Assert.EndsWith("/.config/opencode", found.Detail, StringComparison.Ordinal);
        Assert.StartsWith(Path.Combine(Path.GetTempPath(), "coordinator-doctor-"), found.Detail, StringComparison.Ordinal);
        Assert.False(Directory.Exists(found.Detail));
    }

    public void Dispose() => root.Delete(recursive: true);
}
