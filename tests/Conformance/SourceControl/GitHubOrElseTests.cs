using Coordinator.Adapters.GitHubApp;
using Coordinator.Tests.Support;
using Coordinator.Tests.Support.Git;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Coordinator.Tests.Conformance.SourceControl;

/// <summary>Repositories that are not the app's, where an app is configured: everything stays as git alone has it.</summary>
public sealed class GitHubOrElseTests : SourceControlContract, Xunit.IClassFixture<GitServerFixture>
{
    private readonly GitRig rig;

    public GitHubOrElseTests(GitServerFixture fixture)
    {
        rig = new(fixture.Server, new ManualTime(), AddApp);
        fixture.Server.Reset();
    }

    private protected override ISourceControlRig Rig => rig;

    private static void AddApp(IServiceCollection services) => services.AddGitHubApp(new ConfigurationBuilder().AddInMemoryCollection(
    [
        new("GitHubApp:AppId", ScriptedGitHub.AppId), new("GitHubApp:PrivateKey", ScriptedGitHub.PrivateKey), new("GitHubApp:Organizations:*:0", "acme"),
    ]).Build());
}
