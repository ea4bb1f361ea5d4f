using Coordinator.Tests.Support;
using Microsoft.Playwright;
using Xunit;

namespace Coordinator.Tests.Browser;

/// <summary>A person works with an agent in the browser: a real page, a real host, a real agent in a real box.</summary>
[Collection(BrowserHost.Collection)]
public sealed class ConversationTests(BrowserHost host)
{
    [Fact]
    public async Task A_new_session_streams_runs_tools_stops_reads_the_same_after_a_reload_and_is_archived()
    {
        await using var at = await host.OpenAsync(signIn: true);
        var session = await at.StartSessionAsync("count to 60", host.SampleRepository);
        await Assertions.Expect(at.LastTurn).ToContainTextAsync("59 60", Patient);

        await ShowsAToolAsync(at);
        await ReadsTheSameAfterAReloadAsync(at);
        await StopsAsync(at);

        await at.ArchiveAsync();
        await Assertions.Expect(at.Composer).ToHaveCountAsync(0);
        await Assertions.Expect(at.Page.GetByText("This session is archived: it can be read")).ToBeVisibleAsync();
        await at.PictureAsync("archived");
        Assert.EndsWith(session, at.Page.Url, StringComparison.Ordinal);
        at.AssertQuiet();
    }

    [Fact]
    public async Task A_host_killed_while_it_streams_comes_back_without_a_gap_and_without_a_reload()
    {
        await using var at = await host.OpenAsync(signIn: true);
        await at.StartSessionAsync("count slowly to 40");
        await Assertions.Expect(at.LastTurn).ToContainTextAsync("1 2 3", Patient);
        await at.Page.EvaluateAsync("() => { window.notReloaded = true; }");

        at.ExpectHostDown(true);
        await host.Process.KillAsync();
        await Assertions.Expect(at.Page.GetByText("The connection was lost. Reconnecting")).ToBeVisibleAsync();
        await at.PictureAsync("reconnecting");
        await host.Process.StartAsync();

        await Assertions.Expect(at.LastTurn).ToContainTextAsync(string.Join(' ', Enumerable.Range(1, 40)), Patient);
        await Assertions.Expect(at.Page.GetByText("The connection was lost. Reconnecting")).ToHaveCountAsync(0);
        at.ExpectHostDown(false);
        Assert.True(await at.Page.EvaluateAsync<bool>("() => window.notReloaded === true"), "The page was reloaded.");
        await at.SendAsync("count to 7");
        await Assertions.Expect(at.LastTurn).ToContainTextAsync("1 2 3 4 5 6 7", Patient);
        await at.ArchiveAsync();
        at.AssertQuiet();
    }

    [Fact]
    public async Task A_message_that_failed_says_why_and_is_retried()
    {
        await using var at = await host.OpenAsync(signIn: true);
        await at.StartSessionAsync("hello", host.SampleRepository.Replace("node-sample", "no-such", StringComparison.Ordinal));

        var title = at.Conversation.GetByText("The repository was not found");
        await Assertions.Expect(title.First).ToBeVisibleAsync(new() { Timeout = 90_000 });
        await at.PictureAsync("failed");
        await at.Button("Retry").ClickAsync();
        await Assertions.Expect(at.Conversation.GetByText("Retried below.")).ToBeVisibleAsync();
        await Assertions.Expect(title).ToHaveCountAsync(2, new() { Timeout = 90_000 });
        await at.ArchiveAsync();
        at.AssertQuiet();
    }

    private static LocatorAssertionsToContainTextOptions Patient => new() { Timeout = 90_000 };

    private static async Task ShowsAToolAsync(BrowserPage at)
    {
        await at.SendAsync("run `echo browser-$((40+2)) && uname -s`");
        var card = at.LastTurn.GetByRole(AriaRole.Region, new() { Name = "Run" });
        await Assertions.Expect(card.GetByLabel("Output")).ToContainTextAsync("browser-42", Patient);
        await Assertions.Expect(card).ToContainTextAsync("uname -s");
        await Assertions.Expect(at.LastTurn).ToContainTextAsync("Done.", Patient);
        await at.PictureAsync("conversation");
    }

    private static async Task ReadsTheSameAfterAReloadAsync(BrowserPage at)
    {
        await Assertions.Expect(at.Button("Stop")).ToHaveCountAsync(0);
        var turns = at.Conversation.GetByRole(AriaRole.Article);
        var before = await turns.AllInnerTextsAsync();
        await at.Page.ReloadAsync();
        await Assertions.Expect(turns).ToHaveCountAsync(before.Count);
        IReadOnlyList<string> after = [];
        // The names of models come beside the conversation, and may come after it.
        await Eventually.HoldsAsync(
            async () => before.SequenceEqual(after = await turns.AllInnerTextsAsync()),
            "the same conversation after a reload",
            () => $"Before: {string.Join('\n', before)}\nNow: {string.Join('\n', after)}");
    }

    private static async Task StopsAsync(BrowserPage at)
    {
        await at.SendAsync("run `sleep 300`");
        await Assertions.Expect(at.LastTurn.GetByRole(AriaRole.Img, new() { Name = "running" })).ToBeVisibleAsync(new() { Timeout = 30_000 });
        await at.PictureAsync("running");
        await at.Button("Stop").ClickAsync();
        await Assertions.Expect(at.LastTurn.GetByText("Stopped.", new() { Exact = true })).ToBeVisibleAsync(new() { Timeout = 20_000 });
        await Assertions.Expect(at.Button("Stop", exact: false)).ToHaveCountAsync(0);
    }
}
