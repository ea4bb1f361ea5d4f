using Coordinator.Tests.Support;
using Xunit;

namespace Coordinator.Tests.Conformance.SourceControl;

public sealed class GitSourceControlTests : SourceControlContract, IClassFixture<GitServerFixture>
{
    private readonly ManualTime time = new();
    private readonly GitRig rig;

    public GitSourceControlTests(GitServerFixture fixture)
    {
        rig = new(fixture.Server, time);
        fixture.Server.Reset();
    }

    private protected override ISourceControlRig Rig => rig;

    [Fact]
    public async Task A_redirect_is_not_followed()
    {
        var state = await rig.Source.ResolveAsync(rig.NewOrganization(), new(rig.Server.UrlOf("moved/public.git").AbsoluteUri, null), default);

        Assert.Equal("repository_url_invalid", state.Problem?.Code);
        Assert.Contains("redirects", state.Problem!.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_is_broken_is_unreachable_for_now() =>
        Assert.Equal("repository_unreachable", (await rig.Source.ResolveAsync(rig.NewOrganization(), new(rig.Server.UrlOf("broken/x.git").AbsoluteUri, null), default)).Problem?.Code);

    [Fact]
    public async Task A_server_that_does_not_answer_is_given_up_after_its_time()
    {
        var resolving = rig.Source.ResolveAsync(rig.NewOrganization(), new(rig.Server.UrlOf("silent/x.git").AbsoluteUri, null), default).AsTask();
        await rig.Server.SilentCallAsync();

        time.Advance(TimeSpan.FromSeconds(20));

        Assert.Equal("repository_unreachable", (await resolving.WaitAsync(TimeSpan.FromSeconds(20))).Problem?.Code);
    }

    [Fact]
    public async Task A_repository_without_a_commit_has_no_branch()
    {
        var url = await rig.Server.AddRepositoryAsync("hollow.git");

        Assert.Equal("branch_not_found", (await rig.Source.ResolveAsync(rig.NewOrganization(), new(url.AbsoluteUri, null), default)).Problem?.Code);
    }

    [Fact]
    public async Task A_file_above_the_bound_is_listed_and_not_fetched()
    {
        var large = new byte[3 * 1024 * 1024];
        new Random(7).NextBytes(large);
        var url = await rig.Server.AddRepositoryAsync("heavy.git", ("main", new Dictionary<string, byte[]> { ["model.bin"] = large, ["a.txt"] = "a"u8.ToArray() }));

        var tree = (await rig.Source.ReadTreeAsync(rig.NewOrganization(), new(url.AbsoluteUri, null), _ => true, default)).Value;

        Assert.Equal(["a.txt", "model.bin"], tree.Paths.Order(StringComparer.Ordinal));
        Assert.Equal(["a.txt"], tree.Contents.Keys);
    }

    [Fact]
    public async Task A_name_that_only_an_exception_knows_is_reached_at_the_address_it_says()
    {
        var port = rig.Server.Address.Port;
        var source = rig.With($"demo.coordinator.internal:{port}=127.0.0.1");

        Assert.Equal("main", (await source.ResolveAsync(rig.NewOrganization(), new($"http://demo.coordinator.internal:{port}/public.git", null), default)).Value.Branch);
    }

    [Fact]
    public async Task A_refused_host_is_not_shown_the_credential()
    {
        var organization = rig.NewOrganization();
        await rig.SetCredentialAsync(organization, "right-password");

        await rig.Strict.ResolveAsync(organization, new(rig.Private, null), default);

        Assert.Empty(rig.Server.Shown);
    }

    [Fact]
    public async Task A_token_alone_is_a_credential_too()
    {
        var organization = rig.NewOrganization();
        await rig.SetSecretAsync(organization, "right-password");

        Assert.Equal("main", (await rig.Source.ResolveAsync(organization, new(rig.Private, null), default)).Value.Branch);
        Assert.Equal("x-access-token", (await rig.Source.MintCredentialAsync(organization, new(rig.Private, null), default))!.Username);
    }

    [Fact]
    public async Task A_credential_with_a_line_break_cannot_speak_to_git_for_itself()
    {
        var organization = rig.NewOrganization();
        await rig.SetSecretAsync(organization, """{"username":"u\nhost=evil.example","password":"p"}""");

        Assert.Null(await rig.Source.MintCredentialAsync(organization, new(rig.Private, null), default));
    }

    [Fact]
    public async Task A_credential_with_quotes_and_dollars_reaches_git_as_it_is()
    {
        const string Password = "it's $HOME `id` \\\"%s\\\" &";
        rig.Server.Password = Password.Replace("\\\"", "\"", StringComparison.Ordinal);
        var organization = rig.NewOrganization();
        await rig.SetCredentialAsync(organization, Password);

        Assert.Equal("main", (await rig.Source.ResolveAsync(organization, new(rig.Private, null), default)).Value.Branch);
    }
}
