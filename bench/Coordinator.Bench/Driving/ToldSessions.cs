using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Http.Json;

namespace Coordinator.Bench.Driving;

/// <summary>Sessions that get one title after another, each of which their clients are told; and how many of each the host has acknowledged.</summary>
internal sealed class ToldSessions(string[] ids, string key)
{
    private int given;

    public IReadOnlyList<string> Ids => ids;

    public Dictionary<string, int> Acknowledged { get; } = ids.ToDictionary(id => id, _ => 0, StringComparer.Ordinal);

    /// <summary>All of them once.</summary>
    public async Task RenameAllAsync(HostProcess host, string title, CancellationToken cancellationToken)
    {
        using var http = host.Http();
        foreach (var id in ids) await RenameAsync(http, id, title, cancellationToken);
    }

    /// <summary>One after another, also while the host takes nothing more, until it is over.</summary>
    public async Task RenameUntilAsync(HostProcess host, CancellationToken over, CancellationToken cancellationToken)
    {
        using var http = host.Http();
        while (!over.IsCancellationRequested)
        {
            try
            {
                await RenameNextAsync(http, cancellationToken);
            }
            catch (HttpRequestException)
            {
                return; // it stops, and what it did not acknowledge may have happened
            }
        }
    }

    /// <summary>One after another at a steady rate, until it is over.</summary>
    public async Task RenamePacedAsync(HostProcess host, int rate, TimeProvider time, CancellationToken over, CancellationToken cancellationToken)
    {
        using var http = host.Http();
        await Pace.RunUntilAsync(rate, time, _ => RenameNextAsync(http, cancellationToken), over, cancellationToken);
    }

    private Task RenameNextAsync(HttpClient http, CancellationToken cancellationToken)
    {
        var next = given++;
        return RenameAsync(http, ids[next % ids.Length], string.Create(CultureInfo.InvariantCulture, $"title {next}"), cancellationToken);
    }

    private async Task RenameAsync(HttpClient http, string id, string title, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Patch, $"/v1/sessions/{id}") { Content = JsonContent.Create(new Dictionary<string, string>(StringComparer.Ordinal) { ["title"] = title }) };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        using var answer = (await http.SendAsync(request, cancellationToken)).EnsureSuccessStatusCode();
        Acknowledged[id]++;
    }
}
