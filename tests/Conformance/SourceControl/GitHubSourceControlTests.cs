using System.Globalization;
using Coordinator.Adapters.Git;
using Coordinator.Adapters.GitHubApp;
using Coordinator.Fakes;
using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Coordinator.Ports.Identity;
using Coordinator.Tests.Support;
using Coordinator.Tests.Support.Git;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Xunit;

namespace Coordinator.Tests.Conformance.SourceControl;

/// <summary>The GitHub App against a scripted peer; the real GitHub was never asked.</summary>
public sealed class GitHubSourceControlTests : SourceControlContract
{
    private readonly ManualTime time = new();
    private GitHubRig rig = null!;
    private OrganizationId linked;

    private protected override ISourceControlRig Rig => rig;

    public override async Task InitializeAsync()
    {
        var gitHub = await ScriptedGitHub.StartAsync();
        gitHub.Now = time.GetUtcNow;
        gitHub.AddBranch("acme/public", "main", MainFiles);
        gitHub.AddBranch("acme/public", "feature/x", FeatureFiles);
        gitHub.AddBranch("acme/private", "main", MainFiles, isPrivate: true);
        gitHub.AddBranch("acme/large", "main", Enumerable.Range(0, 21).ToDictionary(i => $"f{i}", _ => Array.Empty<byte>()));
        rig = new(gitHub, time);
        linked = rig.NewOrganization();
        await base.InitializeAsync();
    }

    public override async Task DisposeAsync()
    {
        await base.DisposeAsync();
        await rig.GitHub.DisposeAsync();
    }

    [Fact]
    public async Task A_token_is_good_for_one_repository_and_of_any_length()
    {
        var stateless = "ghs_" + new string('x', 900) + "." + new string('y', 300);
        await rig.SetCredentialAsync(linked, stateless);

        var credential = await MintAsync();

        Assert.Equal(("x-access-token", stateless, time.GetUtcNow() + TimeSpan.FromHours(1)), (credential!.Username, credential.Password, credential.ExpiresAt));
        Assert.Equal("""{"repositories":["private"],"permissions":{"contents":"write","pull_requests":"write"}}""", Assert.Single(rig.GitHub.Mintings));
        Assert.DoesNotContain(stateless, credential.ToString(), StringComparison.Ordinal);
        await rig.Source.MintCredentialAsync(linked, new(rig.Public, null), default);
        Assert.Equal(2, rig.GitHub.Mintings.Count);
    }

    [Fact]
    public async Task Fifty_sessions_refresh_one_OAuth_token_at_once()
    {
        await rig.SetCredentialAsync(linked, "right-password");
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        rig.GitHub.MintGate = gate.Task;
        using var impatient = new CancellationTokenSource();
        var first = rig.Source.MintCredentialAsync(linked, new(rig.Private, null), impatient.Token).AsTask();
        var fifty = Enumerable.Range(0, 50).Select(_ => Task.Run(MintAsync)).ToList();
        await impatient.CancelAsync(); // whoever asked first goes away; the others still get theirs
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);

        gate.SetResult();

        Assert.All(await Task.WhenAll(fifty), credential => Assert.Equal("right-password", credential?.Password));
        Assert.Single(rig.GitHub.Mintings);
    }

    [Fact]
    public async Task The_git_token_expires_after_an_hour_mid_session()
    {
        await rig.SetCredentialAsync(linked, "right-password");
        var first = await MintAsync();
        time.Advance(TimeSpan.FromMinutes(49));
        Assert.Equal(first, await MintAsync());
        time.Advance(TimeSpan.FromMinutes(2));

        var second = await MintAsync();

        Assert.Equal(time.GetUtcNow() + TimeSpan.FromHours(1), second!.ExpiresAt);
        Assert.Equal(2, rig.GitHub.Mintings.Count);
    }

    [Fact]
    public async Task A_token_that_was_revoked_is_minted_anew_once()
    {
        await rig.SetCredentialAsync(linked, "right-password");
        await MintAsync();
        rig.GitHub.Knows = token => token == "next-password";
        rig.GitHub.NextToken = () => "next-password";

        Assert.True((await rig.Source.ResolveAsync(linked, new(rig.Private, null), default)).IsSuccess);

        Assert.Equal(2, rig.GitHub.Mintings.Count);
    }

    [Theory]
    [InlineData(-20)]
    [InlineData(20)]
    public async Task A_clock_that_is_off_is_corrected_by_the_hosts(int minutes)
    {
        rig.GitHub.Now = () => time.GetUtcNow() + TimeSpan.FromMinutes(minutes);
        await rig.SetCredentialAsync(linked, "right-password");

        Assert.NotNull(await MintAsync());
        Assert.NotNull(await MintAsync());

        Assert.Single(rig.GitHub.Mintings);
    }

    [Theory]
    [InlineData(403, "Retry-After", "90", 90)]
    [InlineData(429, "Retry-After", "90", 90)]
    [InlineData(429, "X-Nothing", "", 60)]
    public async Task A_limit_of_rate_is_told_with_how_long_to_wait(int status, string header, string value, int seconds)
    {
        rig.GitHub.AnswerNext(status, """{"message":"You have exceeded a limit."}""", (header, value));

        var failure = await PortAssert.FailsAsync(PortFailureKind.Limited, () => rig.Source.ResolveAsync(linked, new(rig.Public, null), default));

        Assert.Equal(TimeSpan.FromSeconds(seconds), failure.RetryAfter);
    }

    [Fact]
    public async Task A_used_up_hour_is_told_with_when_it_ends()
    {
        var reset = (time.GetUtcNow() + TimeSpan.FromMinutes(12)).ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        rig.GitHub.AnswerNext(403, "{}", ("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", reset));

        var failure = await PortAssert.FailsAsync(PortFailureKind.Limited, () => rig.Source.ResolveAsync(linked, new(rig.Public, null), default));

        Assert.InRange(failure.RetryAfter!.Value, TimeSpan.FromMinutes(11.9), TimeSpan.FromMinutes(12));
    }

    [Fact]
    public async Task A_secondary_limit_is_known_by_what_it_says() =>
        await LimitedAsync(403, """{"message":"You have exceeded a secondary rate limit."}""");

    [Fact]
    public async Task What_may_not_be_done_is_no_limit()
    {
        rig.GitHub.AnswerNext(403, """{"message":"Resource not accessible by integration"}""");

        Assert.Equal("repository_credential_refused", (await rig.Source.ResolveAsync(linked, new(rig.Public, null), default)).Problem?.Code);
    }

    [Fact]
    public async Task A_redirect_is_not_followed()
    {
        rig.GitHub.AnswerNext(301, "{}", ("Location", new Uri(rig.GitHub.Address, "repositories/1").AbsoluteUri));

        Assert.Equal("repository_url_invalid", (await rig.Source.ResolveAsync(linked, new(rig.Public, null), default)).Problem?.Code);
        Assert.DoesNotContain("GET repositories/1", rig.GitHub.Calls);
    }

    [Fact]
    public async Task What_cannot_be_understood_is_corrupt()
    {
        rig.GitHub.AnswerNext(200, "<html>");

        await PortAssert.FailsAsync(PortFailureKind.Corrupt, () => rig.Source.ResolveAsync(linked, new(rig.Public, null), default));
    }

    [Fact]
    public async Task An_account_that_nobody_listed_is_not_served_although_the_app_is_installed_there()
    {
        Assert.Null(await rig.Source.MintCredentialAsync(rig.NewOrganization(), new(rig.Private, null), default));

        Assert.Empty(rig.GitHub.Calls);
    }

    [Fact]
    public async Task Where_the_app_is_not_installed_there_is_no_token()
    {
        await rig.SetCredentialAsync(linked, "right-password");
        rig.GitHub.InstalledOn.Clear();

        Assert.Null(await MintAsync());
        Assert.Equal("repository_not_found", (await rig.Source.ResolveAsync(linked, new(rig.Private, null), default)).Problem?.Code);
    }

    [Fact]
    public async Task A_key_that_is_not_the_apps_is_told_to_the_operator()
    {
        await rig.SetCredentialAsync(linked, "right-password");
        rig.GitHub.Now = () => time.GetUtcNow() + TimeSpan.FromSeconds(25); // not enough to be the clock's fault
        using var other = System.Security.Cryptography.RSA.Create(2048);
        var services = new ServiceCollection().AddSingleton<TimeProvider>(time).AddGitHubApp(Settings(("AppId", ScriptedGitHub.AppId), ("PrivateKey", other.ExportPkcs8PrivateKeyPem()), ("Host", rig.GitHub.Address.Authority), ("ApiUrl", rig.GitHub.Address.AbsoluteUri), ("AddressExceptions:0", "127.0.0.1"), ("Organizations:*:0", "acme")));
        await using var provider = services.BuildServiceProvider();

        var failure = await PortAssert.FailsAsync(PortFailureKind.Unauthorized, () => provider.GetRequiredService<ISourceControl>().MintCredentialAsync(linked, new(rig.Private, null), default));

        Assert.Contains("GitHubApp:AppId", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Half_an_app_does_not_start()
    {
        await using var provider = new ServiceCollection().AddGitHubApp(Settings(("AppId", "app"), ("Organizations:nobody:0", "acme"))).BuildServiceProvider();

        var refused = Assert.Throws<OptionsValidationException>(() => provider.GetRequiredService<IOptions<GitHubAppOptions>>().Value);

        Assert.Equal(2, refused.Failures.Count());
        Assert.Contains(refused.Failures, failure => failure.Contains("GitHubApp:PrivateKeyFile", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_the_app_does_not_serve_stays_with_git()
    {
        var services = new ServiceCollection().AddSingleton<TimeProvider>(time)
            .AddSingleton<ITenantDirectory>(new InMemoryTenantDirectory(time)).AddSingleton<ITenantVault>(new InMemoryTenantVault())
            .AddGitSourceControl(Settings())
            .AddGitHubApp(Settings(("AppId", ScriptedGitHub.AppId), ("PrivateKey", ScriptedGitHub.PrivateKey), ("Host", rig.GitHub.Address.Authority), ("ApiUrl", rig.GitHub.Address.AbsoluteUri), ("AddressExceptions:0", "127.0.0.1"), ($"Organizations:{linked}:0", "acme")));
        await using var provider = services.BuildServiceProvider();
        var source = provider.GetRequiredService<ISourceControl>();

        Assert.Equal("right-password", (await source.MintCredentialAsync(linked, new(rig.Private, null), default))?.Password);
        Assert.Null(await source.MintCredentialAsync(rig.NewOrganization(), new(rig.Private, null), default));
        Assert.Equal("repository_host_refused", (await source.ResolveAsync(rig.NewOrganization(), new(rig.Private, null), default)).Problem?.Code);
    }

    [Fact]
    public async Task Pages_of_branches_are_put_together()
    {
        for (var i = 0; i < 250; i++) rig.GitHub.AddBranch("acme/many", $"b{i:D3}", FeatureFiles);

        var branches = (await rig.Source.ListBranchesAsync(linked, new(rig.UrlOf("acme/many"), null), 1_000, default)).Value;

        Assert.Equal(Enumerable.Range(0, 250).Select(i => $"b{i:D3}"), branches);
    }

    private Task<GitCredential?> MintAsync() => rig.Source.MintCredentialAsync(linked, new(rig.Private, null), default).AsTask();

    private async Task LimitedAsync(int status, string body)
    {
        rig.GitHub.AnswerNext(status, body);
        await PortAssert.FailsAsync(PortFailureKind.Limited, () => rig.Source.ResolveAsync(linked, new(rig.Public, null), default));
    }

    private static IConfiguration Settings(params (string Key, string Value)[] settings) =>
        new ConfigurationBuilder().AddInMemoryCollection(settings.Select(setting => KeyValuePair.Create($"GitHubApp:{setting.Key}", (string?)setting.Value))).Build();
}
