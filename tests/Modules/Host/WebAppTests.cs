using System.Net;
using Coordinator.Host.Web;
using Coordinator.Tests.Support.Http;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.FileProviders;
using Xunit;

namespace Coordinator.Tests.Modules.Host;

/// <summary>Which addresses are answered with the web app's page.</summary>
public sealed class WebAppTests : IAsyncLifetime
{
    private const string Browser = "text/html,application/xhtml+xml,*/*;q=0.8";

    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("coordinator-web-");
    private LoopbackServer server = null!;

    public async Task InitializeAsync()
    {
        await File.WriteAllTextAsync(Path.Combine(folder.FullName, "index.html"), "<!doctype html>");
        server = await LoopbackServer.StartAsync(
            app =>
            {
                app.MapGet("/health", () => "ok");
                app.MapWebApp();
            },
            builder => builder.Services.AddAuthorization().AddSingleton(new WebApp(new PhysicalFileProvider(folder.FullName))));
    }

    public async Task DisposeAsync()
    {
        await server.DisposeAsync();
        folder.Delete(recursive: true);
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/new")]
    [InlineData("/settings")]
    [InlineData("/sign-in")]
    [InlineData("/sessions")]
    [InlineData("/sessions/ses_1")]
    public async Task Every_address_of_the_app_is_its_page_for_everybody(string path)
    {
        Assert.Equal((HttpStatusCode.OK, "text/html"), await AskAsync(path, Browser));
        Assert.Equal((HttpStatusCode.OK, "text/html"), await AskAsync(path, "*/*"));
    }

    [Theory]
    [InlineData("/metrics")]
    [InlineData("/sessions/ses_1/events")]
    [InlineData("/v1/nothing")]
    [InlineData("/nothing.js")]
    public async Task A_program_is_told_of_any_other_that_there_is_nothing(string path) =>
        Assert.Equal((HttpStatusCode.NotFound, "application/problem+json"), await AskAsync(path, "application/openmetrics-text,text/plain,*/*;q=0.1"));

    [Fact]
    public async Task Who_navigates_there_is_told_so_by_the_app() =>
        Assert.Equal((HttpStatusCode.NotFound, "text/html"), await AskAsync("/nothing", Browser));

    [Theory]
    [InlineData("/v1/nothing")]
    [InlineData("/health/nothing")]
    [InlineData("/nothing.js")]
    public async Task Below_the_API_and_for_a_file_the_app_says_nothing(string path) =>
        Assert.Equal((HttpStatusCode.NotFound, "application/problem+json"), await AskAsync(path, Browser));

    private async Task<(HttpStatusCode Status, string? Type)> AskAsync(string path, string accept)
    {
        using var http = TestHttp.Client(server.Address);
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Add("Accept", accept);
        using var answer = await http.SendAsync(request);
        return (answer.StatusCode, answer.Content.Headers.ContentType?.MediaType);
    }
}
