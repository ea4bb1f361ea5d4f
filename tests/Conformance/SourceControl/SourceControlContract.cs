using System.Text;
using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Coordinator.Ports.Session;
using Xunit;

namespace Coordinator.Tests.Conformance.SourceControl;

/// <summary>What <see cref="ISourceControl"/> promises, for every implementation of it.</summary>
public abstract class SourceControlContract : IAsyncLifetime
{
    /// <summary>The files of <c>main</c>.</summary>
    internal static readonly IReadOnlyDictionary<string, byte[]> MainFiles = new Dictionary<string, byte[]>(StringComparer.Ordinal)
    {
        ["package.json"] = Encoding.UTF8.GetBytes("""{"name":"sample"}"""),
        ["src/Grüße 世界.js"] = Encoding.UTF8.GetBytes("// Grüße, 世界\n"),
        ["README.md"] = Encoding.UTF8.GetBytes("# Sample\n"),
        ["big.txt"] = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("0123456789abcdeü", 20_000))),
        ["binary.bin"] = [0, 255, 254, 0, 10, 13, 200],
        ["empty"] = [],
    };

    internal static readonly IReadOnlyDictionary<string, byte[]> FeatureFiles = new Dictionary<string, byte[]>(StringComparer.Ordinal) { ["feature.txt"] = "new"u8.ToArray() };

    private OrganizationId mine;
    private OrganizationId theirs;

    private protected abstract ISourceControlRig Rig { get; }

    private ISourceControl Source => Rig.Source;

    public virtual Task InitializeAsync()
    {
        (mine, theirs) = (Rig.NewOrganization(), Rig.NewOrganization());
        return Task.CompletedTask;
    }

    public virtual async Task DisposeAsync() => await Rig.DisposeAsync();

    [Fact]
    public async Task The_default_branch_is_found_when_none_is_named()
    {
        var state = (await Source.ResolveAsync(mine, new(Rig.Public, null), default)).Value;

        Assert.Equal("main", state.Branch);
        Assert.Equal(state, (await Source.ResolveAsync(mine, new(Rig.Public, "main"), default)).Value);
    }

    [Fact]
    public async Task A_named_branch_is_found()
    {
        var main = (await Source.ResolveAsync(mine, new(Rig.Public, "main"), default)).Value;
        var feature = (await Source.ResolveAsync(mine, new(Rig.Public, "feature/x"), default)).Value;

        Assert.Equal("feature/x", feature.Branch);
        Assert.NotEqual(main.Commit, feature.Commit);
    }

    [Theory]
    [InlineData("absent")]
    [InlineData("*")]
    [InlineData("ma?n")]
    [InlineData("--upload-pack=evil")]
    [InlineData("x/../main")]
    [InlineData("main\n")]
    public Task A_branch_that_is_not_there_is_not_found(string branch) => RefusedAsync("branch_not_found", mine, Rig.Public, branch);

    [Fact]
    public Task An_absent_repository_is_not_found() => RefusedAsync("repository_not_found", mine, Rig.Absent);

    [Fact]
    public async Task A_private_repository_is_as_absent_to_those_without_a_credential()
    {
        await Rig.SetCredentialAsync(theirs, "right-password");

        await RefusedAsync("repository_not_found", mine, Rig.Private);
        Assert.Equal("main", (await Source.ResolveAsync(theirs, new(Rig.Private, null), default)).Value.Branch);
    }

    [Fact]
    public async Task A_refused_credential_is_told_without_being_repeated()
    {
        await Rig.SetCredentialAsync(mine, "wrong-password");

        var problem = await RefusedAsync("repository_credential_refused", mine, Rig.Private);

        Assert.Contains(Rig.WhereCredentialsAre, problem.Detail, StringComparison.Ordinal);
        Assert.DoesNotContain("wrong-password", problem.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("not a url")]
    [InlineData("git@github.com:owner/name.git")]
    [InlineData("ssh://git@github.com/owner/name.git")]
    [InlineData("file:///etc")]
    [InlineData("/etc")]
    [InlineData("ext::id")]
    [InlineData("--upload-pack=id")]
    [InlineData("https://user:secret-in-url@github.com/owner/name.git")]
    [InlineData("https://github.com")]
    public async Task A_url_that_git_must_not_see_is_invalid(string url)
    {
        var problem = await RefusedAsync("repository_url_invalid", mine, url);

        Assert.DoesNotContain("secret-in-url", problem.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_host_that_is_not_on_the_public_internet_is_refused()
    {
        Assert.Equal("repository_host_refused", (await Rig.Strict.ResolveAsync(mine, new(Rig.Public, null), default)).Problem?.Code);
        Assert.Equal("repository_host_refused", (await Rig.Strict.ReadTreeAsync(mine, new(Rig.Public, null), _ => true, default)).Problem?.Code);
    }

    [Fact]
    public async Task A_host_where_nothing_answers_may_be_tried_again()
    {
        var problem = await RefusedAsync("repository_unreachable", mine, Rig.Unreachable);

        Assert.Equal(ProblemKind.Unavailable, problem.Kind);
        Assert.NotNull(problem.RetryAfter);
    }

    [Fact]
    public async Task A_tree_lists_every_file_and_reads_the_wanted_ones()
    {
        var wanted = new[] { "package.json", "src/Grüße 世界.js", "empty" };

        var tree = (await Source.ReadTreeAsync(mine, new(Rig.Public, null), wanted.Contains, default)).Value;

        Assert.Equal(MainFiles.Keys.Order(StringComparer.Ordinal), tree.Paths.Order(StringComparer.Ordinal));
        Assert.Equal(wanted.Order(StringComparer.Ordinal), tree.Contents.Keys.Order(StringComparer.Ordinal));
        Assert.Equal("// Grüße, 世界\n", tree.Contents["src/Grüße 世界.js"]);
        Assert.Equal(string.Empty, tree.Contents["empty"]);
        Assert.Equal((await Source.ResolveAsync(mine, new(Rig.Public, null), default)).Value, new RepositoryState(tree.Branch, tree.Commit));
    }

    [Fact]
    public async Task A_long_file_is_cut_between_characters()
    {
        var tree = (await Source.ReadTreeAsync(mine, new(Rig.Public, null), path => path is "big.txt" or "binary.bin", default)).Value;

        Assert.InRange(Encoding.UTF8.GetByteCount(tree.Contents["big.txt"]), (256 * 1024) - 3, 256 * 1024);
        Assert.StartsWith(tree.Contents["big.txt"], Encoding.UTF8.GetString(MainFiles["big.txt"]), StringComparison.Ordinal);
        Assert.Contains("binary.bin", tree.Contents.Keys);
    }

    [Fact]
    public async Task The_tree_of_another_branch_is_another()
    {
        var tree = (await Source.ReadTreeAsync(mine, new(Rig.Public, "feature/x"), _ => true, default)).Value;

        Assert.Equal("new", Assert.Single(tree.Contents).Value);
    }

    [Fact]
    public async Task A_private_tree_is_read_with_the_credential()
    {
        await Rig.SetCredentialAsync(mine, "right-password");

        Assert.Contains("package.json", (await Source.ReadTreeAsync(mine, new(Rig.Private, null), _ => false, default)).Value.Paths);
    }

    [Fact]
    public async Task A_repository_with_too_many_files_is_refused()
    {
        var tree = await Source.ReadTreeAsync(mine, new(Rig.Large, null), _ => false, default);

        Assert.Equal("repository_too_large", tree.Problem?.Code);
    }

    [Fact]
    public async Task A_credential_is_its_organizations_own()
    {
        await Rig.SetCredentialAsync(mine, "right-password");

        Assert.Equal("right-password", (await Source.MintCredentialAsync(mine, new(Rig.Private, null), default))?.Password);
        Assert.Equal("right-password", (await Source.MintCredentialAsync(mine, new(Rig.Private.Replace("http", "HTTP", StringComparison.Ordinal), null), default))?.Password);
        Assert.Null(await Source.MintCredentialAsync(theirs, new(Rig.Private, null), default));
        Assert.Null(await Source.MintCredentialAsync(mine, new("https://elsewhere.example/team/app", null), default));
        Assert.Null(await Source.MintCredentialAsync(mine, new("not a url", null), default));
    }

    [Fact]
    public async Task Branches_are_listed_by_name()
    {
        Assert.Equal(["feature/x", "main"], (await Source.ListBranchesAsync(mine, new(Rig.Public, null), 10, default)).Value);
        Assert.Equal(["feature/x"], (await Source.ListBranchesAsync(mine, new(Rig.Public, null), 1, default)).Value);
        Assert.Equal("repository_not_found", (await Source.ListBranchesAsync(mine, new(Rig.Absent, null), 10, default)).Problem?.Code);
        Assert.Equal("repository_not_found", (await Source.ListBranchesAsync(mine, new(Rig.Private, null), 10, default)).Problem?.Code);
        Assert.Equal("repository_host_refused", (await Rig.Strict.ListBranchesAsync(mine, new(Rig.Public, null), 10, default)).Problem?.Code);
    }

    [Fact]
    public async Task A_pull_request_that_is_open_is_not_opened_again()
    {
        await Rig.SetCredentialAsync(mine, "right-password");
        var draft = new PullRequestDraft("feature/x", "main", "Add the feature", "Because.");
        var opened = await Source.OpenPullRequestAsync(mine, new(Rig.Public, null), draft, default);
        if (!Rig.OpensPullRequests)
        {
            Assert.Equal("pull_request_unsupported", opened.Problem?.Code);
            return;
        }

        Assert.True(opened.IsSuccess, opened.Problem?.ToString());
        Assert.Equal(opened.Value, (await Source.OpenPullRequestAsync(mine, new(Rig.Public, null), draft with { Title = "Again" }, default)).Value);
        Assert.Equal("pull_request_refused", (await Source.OpenPullRequestAsync(mine, new(Rig.Public, null), draft with { Head = "main" }, default)).Problem?.Code);
    }

    [Fact]
    public async Task A_pull_request_of_a_branch_that_is_not_there_is_not_opened()
    {
        await Rig.SetCredentialAsync(mine, "right-password");

        Assert.Equal("branch_not_found", (await Source.OpenPullRequestAsync(mine, new(Rig.Public, null), new("absent", "main", "Title", ""), default)).Problem?.Code);
    }

    private async Task<Problem> RefusedAsync(string code, OrganizationId organization, string url, string? branch = null)
    {
        var repository = new RepositoryRef(url, branch);
        var state = await Source.ResolveAsync(organization, repository, default);
        var tree = await Source.ReadTreeAsync(organization, repository, _ => true, default);
        Assert.Equal(code, state.Problem?.Code);
        Assert.Equal(code, tree.Problem?.Code);
        return state.Problem!;
    }
}
