using Coordinator.Cli.Journey;
using Coordinator.Client;
using Xunit;

namespace Coordinator.Tests.Journey;

/// <summary>A repository that cannot be had fails the message with a reason, and the session stays usable.</summary>
[Collection(JourneyHost.Collection)]
public sealed class BadRepositoryTests(JourneyHost host)
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(90);

    [Fact]
    public Task A_repository_that_is_not_there_fails_the_message_by_name() =>
        FailsAsync(host.Sample with { Url = host.Sample.Url.Replace("node-sample", "no-such", StringComparison.Ordinal) }, "repository_not_found");

    [Fact]
    public Task A_branch_that_is_not_there_fails_the_message_by_name() =>
        FailsAsync(host.Sample with { Branch = "no-such-branch" }, "branch_not_found");

    [Fact]
    public Task A_repository_on_a_private_address_fails_the_message() =>
        FailsAsync(new Repository("http://10.11.12.13/team/app.git"), "repository_unreachable");

    private async Task FailsAsync(Repository repository, string code)
    {
        await using var run = await host.StartSessionAsync(repository);

        var first = await run.PromptAsync("hello", CancellationToken.None);
        var end = await run.EndAsync(first, "message.failed", Bound, CancellationToken.None);

        Assert.Equal(code, end.Text("code"));
        Assert.False(string.IsNullOrWhiteSpace(end.Text("detail")), "The failure does not say what to do.");
        var again = await host.Client.PromptAsync(run.Session.Id, "hello", CancellationToken.None, retryOf: first);
        Assert.Equal(code, (await run.EndAsync(again.MessageId, "message.failed", Bound, CancellationToken.None)).Text("code"));
        await host.Client.ArchiveAsync(run.Session.Id, CancellationToken.None);
        await run.WaitAsync("session.archived", e => e.Type == "session.archived", Bound, CancellationToken.None);
    }
}
