using Microsoft.Playwright;
using Xunit;

namespace Coordinator.Tests.Browser;

/// <summary>The pages around a conversation: the way in, the first look, the settings.</summary>
[Collection(BrowserHost.Collection)]
public sealed class PageTests(BrowserHost host)
{
    [Fact]
    public async Task Who_is_not_signed_in_is_shown_the_way_in_whatever_page_they_open()
    {
        await using var at = await host.OpenAsync(signIn: false);
        at.ExpectHostDown(true); // the browser itself reports the 401 that says who is signed in

        await at.Page.GotoAsync("/settings");

        await Assertions.Expect(at.Page.GetByRole(AriaRole.Heading, new() { Name = "Sign in" })).ToBeVisibleAsync();
        await at.PictureAsync("sign-in");
        at.AssertQuiet();
    }

    [Fact]
    public async Task A_one_time_link_signs_in_once_and_leaves_the_address_bar()
    {
        await using var first = await host.OpenAsync(signIn: true);
        await first.Page.GotoAsync("/");
        await Assertions.Expect(first.Page.GetByRole(AriaRole.Link, new() { Name = "New session" }).First).ToBeVisibleAsync();
        first.AssertQuiet();

        await using var second = await host.OpenAsync(signIn: false);
        await second.Page.GotoAsync(host.SpentLink.ToString());
        await Assertions.Expect(second.Page.GetByText("This sign-in link no longer works")).ToBeVisibleAsync();
        Assert.DoesNotContain("sl_", second.Page.Url, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_new_session_without_a_model_says_so_beside_its_field()
    {
        await using var at = await host.OpenAsync(signIn: true);
        await at.Page.GotoAsync("/new");
        await at.Page.GetByLabel("What should the agent do?").FillAsync("Mend the test");
        await Assertions.Expect(at.Page.GetByRole(AriaRole.Radio, new() { Name = "Scripted" })).ToBeVisibleAsync();

        await at.Button("Start session").ClickAsync();

        await Assertions.Expect(at.Page.GetByText("Choose a model; there is no default.")).ToBeVisibleAsync();
        await at.PictureAsync("new-session");
        at.AssertQuiet();
    }

    [Fact]
    public async Task A_providers_key_is_stored_and_deleted_and_never_shown()
    {
        const string key = "sk-browser-canary-7d21c4e9";
        await using var at = await host.OpenAsync(signIn: true);
        await at.Page.GotoAsync("/settings");

        await at.Button("Set the key of OpenAI").ClickAsync();
        await at.Page.GetByLabel("Value of models/openai").FillAsync(key);
        await at.Button("Save").ClickAsync();
        await Assertions.Expect(at.Button("Replace the key of OpenAI")).ToBeVisibleAsync();
        Assert.DoesNotContain(key, await at.Page.ContentAsync(), StringComparison.Ordinal);
        await at.PictureAsync("settings");
        await at.Page.ReloadAsync();
        await Assertions.Expect(at.Button("Replace the key of OpenAI")).ToBeVisibleAsync();
        Assert.DoesNotContain(key, await at.Page.ContentAsync(), StringComparison.Ordinal);

        await at.Button("Delete the key of OpenAI").ClickAsync();
        await at.Button("Delete it").ClickAsync();
        await Assertions.Expect(at.Button("Set the key of OpenAI")).ToBeVisibleAsync();
        Assert.DoesNotContain(key, host.Process.Output, StringComparison.Ordinal);
        at.AssertQuiet();
    }

    [Fact]
    public async Task A_second_organization_starts_empty_and_one_goes_to_and_fro()
    {
        await using var at = await host.OpenAsync(signIn: true);
        var first = await at.StartSessionAsync("@say Of the first organization.");
        await Assertions.Expect(at.LastTurn).ToContainTextAsync("Of the first organization.");
        await at.ArchiveAsync();
        await at.Page.GotoAsync("/settings");

        await at.Page.GetByLabel("Name of the organization").FillAsync("Second");
        await at.Button("Create organization").ClickAsync();

        var organization = at.Page.GetByLabel("Organization", new() { Exact = true });
        await Assertions.Expect(organization.Locator("option:checked")).ToHaveTextAsync("Second");
        await at.PictureAsync("organizations");
        await at.Page.GotoAsync("/");
        await Assertions.Expect(at.Page.GetByText("No sessions yet.")).ToBeVisibleAsync();

        await organization.SelectOptionAsync("My organization");
        await Assertions.Expect(at.Page.Locator($"a[href='/sessions/{first}']")).ToBeVisibleAsync();
        await at.Page.GotoAsync($"/sessions/{first}");
        await Assertions.Expect(at.LastTurn).ToContainTextAsync("Of the first organization.");
        at.AssertQuiet();
    }

    [Fact]
    public async Task A_key_is_made_for_what_its_program_may_do()
    {
        await using var at = await host.OpenAsync(signIn: true);
        await at.Page.GotoAsync("/settings");

        await at.Page.GetByLabel("Name", new() { Exact = true }).FillAsync("Deployment");
        await at.Page.GetByLabel("May").SelectOptionAsync("admin");
        await at.Button("Create key").ClickAsync();

        await Assertions.Expect(at.Page.GetByText("Copy the key “Deployment” now.")).ToBeVisibleAsync();
        await Assertions.Expect(at.Page.GetByRole(AriaRole.Listitem).Filter(new() { HasText = "Deployment" })).ToContainTextAsync("admin");
        at.AssertQuiet();
    }
}
