using System.Net.Http.Json;
using System.Text.Json;

namespace Coordinator.Bench.Driving;

/// <summary>The person who signed in by the host's link, as a browser does it: makes organizations, and in each a key.</summary>
internal sealed class Owner : IDisposable
{
    private readonly HttpClient http;

    private Owner(HttpClient http) => this.http = http;

    public static async Task<Owner> SignInAsync(Uri host, string link, CancellationToken cancellationToken)
    {
        var http = new HttpClient(new SocketsHttpHandler { UseCookies = true }) { BaseAddress = host };
        http.DefaultRequestHeaders.Add("Origin", host.GetLeftPart(UriPartial.Authority));
        var owner = new Owner(http);
        await owner.PostAsync("/v1/sign-in", "link", link, null, cancellationToken);
        return owner;
    }

    /// <summary>Makes an organization; its id.</summary>
    public Task<string> NewOrganizationAsync(string of, string name, CancellationToken cancellationToken) => NewAsync("/v1/organizations", "id", name, of, cancellationToken);

    /// <summary>Makes a key of the organization, or of the only one.</summary>
    public Task<string> NewKeyAsync(string? organization, CancellationToken cancellationToken) => NewAsync("/v1/api-keys", "key", "bench", organization, cancellationToken);

    public void Dispose() => http.Dispose();

    private async Task<string> NewAsync(string path, string member, string name, string? organization, CancellationToken cancellationToken) =>
        (await PostAsync(path, "name", name, organization, cancellationToken)).GetProperty(member).GetString()!;

    private async Task<JsonElement> PostAsync(string path, string member, string value, string? organization, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = JsonContent.Create(new Dictionary<string, string>(StringComparer.Ordinal) { [member] = value }) };
        if (organization is not null) request.Headers.Add("Coordinator-Organization", organization);
        using var answer = await http.SendAsync(request, cancellationToken);
        answer.EnsureSuccessStatusCode();
        var body = await answer.Content.ReadAsByteArrayAsync(cancellationToken);
        return body.Length == 0 ? default : JsonSerializer.Deserialize<JsonElement>(body);
    }
}
