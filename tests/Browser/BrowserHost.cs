using Coordinator.Tests.Support.Hosting;
using Microsoft.Playwright;
using Xunit;

namespace Coordinator.Tests.Browser;

/// <summary>One host and one browser for all the tests here; each test has a page of its own, signed in as the host's owner.</summary>
public sealed class BrowserHost : IAsyncLifetime
{
    public const string Collection = "browser";

    /// <summary>What chromium does for itself is off: a test's browser talks to the host and to nothing else.</summary>
    private static readonly string[] Quiet =
    [
        "--disable-background-networking", "--disable-component-update", "--disable-domain-reliability", "--disable-sync", "--disable-default-apps", "--no-first-run",
        "--disable-features=OptimizationHints,MediaRouter,Translate,AutofillServerCommunication,CertificateTransparencyComponentUpdater", "--disable-dev-shm-usage", "--no-proxy-server",
    ];

    private HostProcess? process;
    private IPlaywright? playwright;
    private IBrowser? browser;
    private string signedIn = string.Empty;
    private Uri? spent;

    public HostProcess Process => process!;

    /// <summary>The link that signed the tests in, which is no good any more.</summary>
    public Uri SpentLink => spent ?? throw new InvalidOperationException("Nobody has signed in yet.");

    public string SampleRepository => $"http://demo.coordinator.internal:{Process.Url.Port}/demo/repositories/node-sample.git";

    public async Task InitializeAsync()
    {
        var chromium = Environment.GetEnvironmentVariable("CHROMIUM") is { Length: > 0 } named ? named : "/usr/bin/chromium";
        if (!File.Exists(chromium)) throw new InvalidOperationException($"There is no browser at {chromium}: apt-get install chromium, or name one in CHROMIUM.");
        process = await HostProcess.LaunchAsync();
        playwright = await Playwright.CreateAsync();
        browser = await playwright.Chromium.LaunchAsync(new() { ExecutablePath = chromium, Headless = true, Args = Environment.IsPrivilegedProcess ? [.. Quiet, "--no-sandbox"] : Quiet });
    }

    /// <summary>A page that is not signed in, in a context of its own.</summary>
    public async Task<BrowserPage> OpenAsync(bool signIn)
    {
        var context = await browser!.NewContextAsync(new() { ViewportSize = new() { Width = 1200, Height = 800 }, BaseURL = Process.Url.ToString(), StorageState = signIn ? await SignedInAsync() : null });
        context.SetDefaultTimeout(30_000);
        return new(await context.NewPageAsync());
    }

    /// <summary>Sessions of tests that failed have a box still; it is not to outlive the tests.</summary>
    private async Task ArchiveAllAsync()
    {
        await using var at = await OpenAsync(signIn: true);
        await at.Page.GotoAsync("/");
        await at.Page.EvaluateAsync("""
            async () => {
              const headers = { 'Coordinator-Organization': localStorage.getItem('coordinator.organization') };
              const { items } = await (await fetch('/v1/sessions?limit=200', { headers })).json();
              for (const session of items) if (session.status !== 'archived') await fetch(`/v1/sessions/${session.id}/archive`, { method: 'POST', headers });
            }
            """);
    }

    /// <summary>Spends the host's one-time link in a page, once for all tests.</summary>
    private async Task<string> SignedInAsync()
    {
        if (signedIn.Length > 0) return signedIn;
        await using var visitor = await OpenAsync(signIn: false);
        spent = Process.SignInLink;
        await visitor.Page.GotoAsync(spent.ToString());
        await Assertions.Expect(visitor.Page.GetByRole(AriaRole.Heading, new() { Name = "Put an agent to work" })).ToBeVisibleAsync();
        await Assertions.Expect(visitor.Page).ToHaveURLAsync(Process.Url.ToString());
        await visitor.PictureAsync("first-look");
        signedIn = await visitor.Page.Context.StorageStateAsync();
        return signedIn;
    }

    public async Task DisposeAsync()
    {
        if (process is not null && signedIn.Length > 0) await ArchiveAllAsync();
        if (browser is not null) await browser.DisposeAsync();
        playwright?.Dispose();
        if (process is not null) await process.DisposeAsync();
    }
}

[CollectionDefinition(BrowserHost.Collection)]
public sealed class BrowserHostCollection : ICollectionFixture<BrowserHost>;
