using Coordinator.Sandbox.Boot;
using Xunit;

namespace Coordinator.Tests.Modules.Box.Boot;

public sealed class GitFailureTests
{
    [Theory]
    [InlineData("warning: Could not find remote branch nope to clone.\nfatal: Remote branch nope not found in upstream origin", "branch_not_found")]
    [InlineData("remote: Repository not found.\nfatal: repository 'https://example.com/a/b/' not found", "repository_not_found")]
    [InlineData("fatal: could not read Username for 'https://example.com': terminal prompts disabled", "repository_not_found")]
    [InlineData("fatal: Authentication failed for 'https://example.com/a/b/'", "repository_not_found")]
    [InlineData("fatal: unable to access 'https://example.com/': The requested URL returned error: 403", "repository_not_found")]
    [InlineData("fatal: '/x' does not appear to be a git repository", "repository_not_found")]
    [InlineData("fatal: unable to access 'https://example.com/': Could not resolve host: example.com", "repository_unreachable")]
    [InlineData("fatal: unable to access 'https://example.com/': Failed to connect to example.com port 443", "repository_unreachable")]
    [InlineData("fatal: unable to access 'https://example.com/': Received HTTP code 403 from proxy after CONNECT", "repository_unreachable")]
    [InlineData("", "repository_unreachable")]
    public void What_git_says_has_its_code(string output, string code) => Assert.Equal(code, GitFailure.Classify(output, "https://example.com/a/b", "nope").Code);

    [Fact]
    public void A_host_that_is_not_allowed_is_named()
    {
        var problem = GitFailure.Classify("fatal: unable to access 'https://git.example/': CONNECT tunnel failed, response 403", "https://git.example/a", null);

        Assert.Contains("git.example", problem.Detail, StringComparison.Ordinal);
        Assert.Contains("allowed", problem.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void A_credential_that_could_not_be_loaded_is_no_missing_repository()
    {
        var problem = GitFailure.Classify("coordinator: the credential for git.example could not be loaded (502)\nfatal: credential helper '!coordinator-box git-credential' told us to quit", "https://git.example/a", null);

        Assert.Equal("repository_unreachable", problem.Code); // which is tried again
        Assert.Contains("credential for git.example could not be loaded", problem.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void A_plain_address_that_the_proxy_refuses_is_not_a_missing_repository()
    {
        var problem = GitFailure.Classify("fatal: unable to access 'http://10.1.2.3/a/': The requested URL returned error: 403", "http://10.1.2.3/a", null);

        Assert.Equal("repository_unreachable", problem.Code);
        Assert.Contains("10.1.2.3", problem.Detail, StringComparison.Ordinal);
        Assert.Contains("allowed", problem.Detail, StringComparison.Ordinal);
    }
}
