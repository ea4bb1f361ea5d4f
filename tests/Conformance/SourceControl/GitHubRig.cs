using Coordinator.Adapters.GitHubApp;
using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Coordinator.Tests.Support;
using Coordinator.Tests.Support.Git;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Coordinator.Tests.Conformance.SourceControl;

/// <summary>The GitHub App adapter as a host has it, and the scripted GitHub. What a credential is elsewhere is here that an operator lists the account.</summary>
internal sealed class GitHubRig(ScriptedGitHub gitHub, ManualTime time) : ISourceControlRig
{
    private readonly Dictionary<string, string[]> organizations = new(StringComparer.Ordinal);
    private readonly List<ServiceProvider> providers = [];
    private ISourceControl? source;
    private ISourceControl? strict;

    public ScriptedGitHub GitHub => gitHub;

    public ManualTime Time => time;

    public ISourceControl Source => source ??= With("127.0.0.1");

    public ISourceControl Strict => strict ??= With();

    public string Public => UrlOf("acme/public");

    public string Private => UrlOf("acme/private");

    public string Absent => UrlOf("acme/absent");

    public string Unreachable => UrlOf("acme/broken");

    public string Large => UrlOf("acme/large");

    public string WhereCredentialsAre => "GitHubApp";

    public bool OpensPullRequests => true;

    public string UrlOf(string path) => new Uri(gitHub.Address, path + ".git").AbsoluteUri;

    public ISourceControl With(params string[] exceptions)
    {
        KeyValuePair<string, string?>[] settings =
        [
            new("GitHubApp:AppId", ScriptedGitHub.AppId), new("GitHubApp:PrivateKey", ScriptedGitHub.PrivateKey), new("GitHubApp:Host", gitHub.Address.Authority),
            new("GitHubApp:ApiUrl", gitHub.Address.AbsoluteUri), new("GitHubApp:MaxFiles", "20"),
            .. exceptions.Select((entry, index) => KeyValuePair.Create($"Sandbox:Egress:Exceptions:{index}", (string?)entry)),
        ];
        var provider = new ServiceCollection()
            .AddSingleton<TimeProvider>(time)
            .AddGitHubApp(new ConfigurationBuilder().AddInMemoryCollection(settings).Build())
            .Configure<GitHubAppOptions>(options => options.Organizations = organizations)
            .BuildServiceProvider();
        providers.Add(provider);
        return provider.GetRequiredService<ISourceControl>();
    }

    public OrganizationId NewOrganization() => OrganizationId.New(time);

    public Task SetCredentialAsync(OrganizationId organization, string password)
    {
        organizations[organization.ToString()] = ["acme"];
        gitHub.NextToken = () => password;
        return Task.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var provider in providers) await provider.DisposeAsync();
    }
}
