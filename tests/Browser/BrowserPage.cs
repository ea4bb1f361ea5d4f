using System.Collections.Concurrent;
using System.Text.RegularExpressions;
using Microsoft.Playwright;
using Xunit;

namespace Coordinator.Tests.Browser;

/// <summary>A page as a person uses it: things are found by their role and their name. It remembers what went wrong in the browser.</summary>
public sealed partial class BrowserPage : IAsyncDisposable
{
    private readonly ConcurrentQueue<string> errors = new();
    private volatile bool hostIsDown;

    public BrowserPage(IPage page)
    {
        Page = page;
        page.PageError += (_, error) => errors.Enqueue(error);
        page.Console += (_, message) =>
        {
            if (message.Type == "error" && !hostIsDown) errors.Enqueue(message.Text);
        };
    }

    public IPage Page { get; }

    public ILocator Composer => Page.GetByRole(AriaRole.Textbox, new() { Name = "Message", Exact = true });

    public ILocator Conversation => Page.GetByRole(AriaRole.Region, new() { Name = "Conversation" });

    public ILocator LastTurn => Conversation.GetByRole(AriaRole.Article).Last;

    public ILocator Button(string name, bool exact = true) => Page.GetByRole(AriaRole.Button, new() { Name = name, Exact = exact });

    /// <summary>The browser itself reports connections that fail; while the host is down that is as it should be.</summary>
    public void ExpectHostDown(bool down) => hostIsDown = down;

    /// <summary>Writes a prompt and sends it by the keyboard.</summary>
    public async Task SendAsync(string prompt)
    {
        await Composer.FillAsync(prompt);
        await Composer.PressAsync("Enter");
    }

    /// <summary>Starts a session by the form and waits for its page; returns its id.</summary>
    public async Task<string> StartSessionAsync(string prompt, string? repository = null)
    {
        await Page.GotoAsync("/new");
        await Page.GetByLabel("What should the agent do?").FillAsync(prompt);
        if (repository is not null) await Page.GetByLabel("Repository").FillAsync(repository);
        await Page.GetByRole(AriaRole.Radio, new() { Name = "Scripted" }).CheckAsync();
        await Button("Start session").ClickAsync();
        await ShowsASessionAsync();
        return await Page.EvaluateAsync<string>("() => location.pathname.split('/').at(-1)");
    }

    /// <summary>Archives the open session, so that its box ends.</summary>
    public async Task ArchiveAsync()
    {
        await Button("Archive").ClickAsync();
        await Page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Archive" }).ClickAsync();
        await Page.GetByText("This session is archived").WaitForAsync();
    }

    /// <summary>Pictures for people, light and dark, in artifacts/screenshots; nothing compares them.</summary>
    public async Task PictureAsync(string name)
    {
        foreach (var (scheme, suffix) in new[] { (ColorScheme.Light, "light"), (ColorScheme.Dark, "dark") })
        {
            await Page.EmulateMediaAsync(new() { ColorScheme = scheme });
            await Page.ScreenshotAsync(new() { Path = Path.Combine(Pictures(), $"{name}-{suffix}.png"), Animations = ScreenshotAnimations.Disabled });
        }

        await Page.EmulateMediaAsync(new() { ColorScheme = ColorScheme.Light });
    }

    /// <summary>Nothing went wrong in the browser: no exception, no error on its console.</summary>
    public void AssertQuiet() => Assert.True(errors.IsEmpty, $"The browser reported:\n{string.Join('\n', errors)}");

    public async ValueTask DisposeAsync() => await Page.Context.CloseAsync();

    /// <summary>Asks the page where it is until it is at a session. Waiting for the news of it (`WaitForURLAsync`) misses what comes while the wait begins.</summary>
    private async Task ShowsASessionAsync()
    {
        try
        {
            await Assertions.Expect(Page).ToHaveURLAsync(SessionAddress(), new() { Timeout = 30_000 });
        }
        catch (PlaywrightException missing)
        {
            var alerts = await Page.GetByRole(AriaRole.Alert).AllInnerTextsAsync();
            throw new InvalidOperationException($"The page of the new session did not come. The page says: {string.Join(" | ", alerts)}; the browser: {string.Join(" | ", errors)}", missing);
        }
    }

    [GeneratedRegex("/sessions/ses_[0-9a-z]{26}$")]
    private static partial Regex SessionAddress();

    private static string Pictures()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "Coordinator.sln"))) return Path.Combine(folder.FullName, "artifacts", "screenshots");
        return Path.Combine(AppContext.BaseDirectory, "screenshots");
    }
}
