using System.Runtime.Versioning;
using Coordinator.Cli;
using Coordinator.Cli.Doctor;
using Coordinator.Client;
using Coordinator.Tests.Support.Http;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
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
        var program = SetUpAgent.In(root.FullName);
        Directory.CreateDirectory(Path.GetDirectoryName(program)!);
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

    [Fact]
    public async Task Boxes_of_others_are_counted_and_only_those_of_archived_sessions_are_called_stale()
    {
        await using var host = await LoopbackServer.StartAsync(app => app.MapGet("/v1/sessions/{id}", (string id) => id switch
        {
            "ses_ended" => Results.Text(Session(id, "archived"), "application/json"),
            "ses_alive" => Results.Text(Session(id, "active"), "application/json"),
            _ => Results.Json(new { code = "session_not_found", detail = "No such session." }, statusCode: 404),
        }));
        using var client = new CoordinatorClient(host.Address, "ck_x");

        var healthy = await HostChecks.StaleBoxesAsync(client, ["ses_alive", "ses_of_others"], CancellationToken.None);
        var stale = await HostChecks.StaleBoxesAsync(client, ["ses_alive", "ses_of_others", "ses_ended"], CancellationToken.None);

        Assert.Equal((Health.Good, "1 running, none stale; 1 more of sessions that this key does not see"), (healthy.Health, healthy.Detail));
        Assert.Equal((Health.Warning, "of archived sessions: ses_ended; 1 more of sessions that this key does not see"), (stale.Health, stale.Detail));
    }

    [Theory]
    [InlineData("<html>It works!</html>")]
    [InlineData("[]")]
    [InlineData("")]
    public async Task Something_else_at_the_address_is_not_taken_for_a_host(string page)
    {
        await using var host = await LoopbackServer.StartAsync(app => app.MapGet("/health/ready", () => Results.Text(page, "text/html")));

        var found = Assert.Single(await HostChecks.RunAsync(host.Address, CancellationToken.None));

        Assert.Equal(Health.Bad, found.Health);
        Assert.Contains("not as Coordinator does", found.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_balancer_that_has_no_host_to_ask_may_be_what_answers()
    {
        await using var balancer = await LoopbackServer.StartAsync(app => app.MapGet("/health/ready", () => Results.Text("<html>503 Service Unavailable</html>", "text/html", statusCode: 503)));

        var found = Assert.Single(await HostChecks.RunAsync(balancer.Address, CancellationToken.None));

        Assert.Equal(Health.Bad, found.Health);
        Assert.Contains("load balancer", found.Advice, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Away_from_the_clone_that_boxes_run_from_a_missing_agent_is_no_fault()
    {
        var elsewhere = Assert.Single(await LocalChecks.RunAsync(new Uri("http://elsewhere.example"), root.FullName, CancellationToken.None), finding => finding.Name == "OpenCode");
        await File.WriteAllTextAsync(Path.Combine(root.FullName, "run.sh"), "");
        var cloned = Assert.Single(await LocalChecks.RunAsync(new Uri("http://elsewhere.example"), root.FullName, CancellationToken.None), finding => finding.Name == "OpenCode");

        Assert.Equal((Health.Warning, Health.Bad), (elsewhere.Health, cloned.Health));
        Assert.Contains("--root", elsewhere.Advice, StringComparison.Ordinal);
    }

    public void Dispose() => root.Delete(recursive: true);

    private static string Session(string id, string status) => $$"""
        { "id": "{{id}}", "title": "", "status": "{{status}}", "model": "demo/scripted", "agent": "opencode", "permissions": "auto", "messages": [], "updatedAt": "2026-01-02T03:04:05Z" }
        """;
}
