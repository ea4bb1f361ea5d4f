using System.Text.Json;
using Coordinator.Cli.Journey;
using Coordinator.Client;

namespace Coordinator.Cli.Doctor;

/// <summary>What the host says of itself (database, migrations, sandboxes …), and boxes on this machine that no session wants.</summary>
internal static class HostChecks
{
    public static async Task<IReadOnlyList<Finding>> RunAsync(Uri url, CancellationToken cancellationToken)
    {
        using var client = new CoordinatorClient(url);
        try
        {
            var (status, body) = await client.ReadinessAsync(cancellationToken);
            return [new("host", status == 200 ? Health.Good : Health.Bad, status == 200 ? "ready" : $"answers {status}"), .. Dependencies(body)];
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException && !cancellationToken.IsCancellationRequested)
        {
            return [new("host", Health.Warning, $"{url} does not answer", "Start it: ./run.sh")];
        }
    }

    /// <summary>Live boxes of sessions that have ended, or that no host knows of.</summary>
    public static async Task<Finding> StaleBoxesAsync(CoordinatorClient client, CancellationToken cancellationToken)
    {
        List<string> stale = [];
        var running = SessionProcesses.SessionsWithBoxes();
        foreach (var session in running)
        {
            try
            {
                if ((await client.GetSessionAsync(session, cancellationToken)).Status == "archived") stale.Add(session);
            }
            catch (CoordinatorException e) when (e.Status == 404)
            {
                stale.Add($"{session} (not of this organization)");
            }
        }

        return stale.Count == 0
            ? new("boxes", Health.Good, $"{running.Count} running, none stale")
            : new("boxes", Health.Warning, $"stale: {string.Join(", ", stale)}", "The host's sweep ends them within minutes; if they stay, restart the host.");
    }

    private static IEnumerable<Finding> Dependencies(string body)
    {
        using var report = JsonDocument.Parse(body);
        if (!report.RootElement.TryGetProperty("dependencies", out var list) || list.ValueKind != JsonValueKind.Array) yield break;
        foreach (var item in list.EnumerateArray().Select(d => d.Clone()))
        {
            var ok = item.TryGetProperty("ready", out var ready) && ready.ValueKind == JsonValueKind.True;
            yield return new(Text(item, "name") ?? "?", ok ? Health.Good : Health.Bad, (ok ? Text(item, "description") : Text(item, "reason")) ?? (ok ? "works" : "does not work"));
        }
    }

    private static string? Text(JsonElement item, string name) =>
        item.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
