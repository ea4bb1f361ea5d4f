using System.Text;
using Coordinator.Adapters.Git;
using Coordinator.Fakes;
using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Coordinator.Ports.Identity;
using Coordinator.Tests.Support.Git;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Coordinator.Tests.Conformance.SourceControl;

/// <summary>The git adapter as a host has it, and a real git server on loopback.</summary>
internal sealed class GitRig(GitHttpServer server, TimeProvider time, Action<IServiceCollection>? inFront = null) : ISourceControlRig
{
    private readonly InMemoryTenantDirectory directory = new(time);
    private readonly InMemoryTenantVault vault = new();
    private readonly List<ServiceProvider> providers = [];
    private ISourceControl? source;
    private ISourceControl? strict;

    public GitHttpServer Server => server;

    public string WhereCredentialsAre => "git/";

    public bool OpensPullRequests => false;

    public ISourceControl Source => source ??= With("127.0.0.1");

    public ISourceControl Strict => strict ??= With();

    public string Public => server.UrlOf("public.git").AbsoluteUri;

    public string Private => server.UrlOf("private/sample.git").AbsoluteUri;

    public string Absent => server.UrlOf("absent.git").AbsoluteUri;

    public string Unreachable => "http://127.0.0.1:1/x.git";

    public string Large => server.UrlOf("large.git").AbsoluteUri;

    public ISourceControl With(params string[] exceptions)
    {
        KeyValuePair<string, string?>[] settings = [new("Git:MaxFiles", "20"), .. exceptions.Select((entry, index) => KeyValuePair.Create($"Sandbox:Egress:Exceptions:{index}", (string?)entry))];
        var services = new ServiceCollection()
            .AddSingleton(time)
            .AddSingleton<ITenantDirectory>(directory)
            .AddSingleton<ITenantVault>(vault)
            .AddGitSourceControl(new ConfigurationBuilder().AddInMemoryCollection(settings).Build());
        inFront?.Invoke(services);
        var provider = services.BuildServiceProvider();
        providers.Add(provider);
        return provider.GetRequiredService<ISourceControl>();
    }

    public OrganizationId NewOrganization() => directory.AddOrganization("Acme");

    public Task SetCredentialAsync(OrganizationId organization, string password) => SetSecretAsync(organization, $$"""{"username":"ada","password":"{{password}}"}""");

    public async Task SetSecretAsync(OrganizationId organization, string value)
    {
        const string Name = "git/127.0.0.1";
        var secret = new StoredSecret(Name, await vault.SealAsync(organization, Name, Encoding.UTF8.GetBytes(value), default), "hint", time.GetUtcNow());
        await directory.PutSecretAsync(organization, secret, default);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var provider in providers) await provider.DisposeAsync();
    }
}

/// <summary>One git server with its repositories for all tests of a class.</summary>
public sealed class GitServerFixture : IAsyncLifetime
{
    public GitHttpServer Server { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        Server = await GitHttpServer.StartAsync();
        await Server.AddRepositoryAsync("public.git", ("main", SourceControlContract.MainFiles), ("feature/x", SourceControlContract.FeatureFiles));
        await Server.AddRepositoryAsync("private/sample.git", ("main", SourceControlContract.MainFiles));
        await Server.AddRepositoryAsync("large.git", ("main", Enumerable.Range(0, 21).ToDictionary(i => $"f{i}", _ => Array.Empty<byte>())));
    }

    public async Task DisposeAsync() => await Server.DisposeAsync();
}
