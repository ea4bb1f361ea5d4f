using System.Text.Json;
using Coordinator.Client;

namespace Coordinator.Cli.Doctor;

/// <summary>What the host says of itself (database, migrations, sandboxes …), and boxes on this machine that no session wants.</summary>
internal static class HostChecks
{
    public static async Task<IReadOnlyList<Finding>> RunAsync(Uri url, CancellationToken cancellationToken)
    {
        using var client = new CoordinatorClient(url);
        var status = 0;
        try
        {
            (status, var body) = await client.ReadinessAsync(cancellationToken);
            using var report = JsonDocument.Parse(body);
            if (report.RootElement.ValueKind != JsonValueKind.Object) return [Stranger(url, status)];
            return [new("host", status == 200 ? Health.Good : Health.Bad, status == 200 ? "ready" : $"answers {status}"), .. Dependencies(report.RootElement)];
        }
        catch (JsonException)
        {
            return [Stranger(url, status)];
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException && !cancellationToken.IsCancellationRequested)
        {
            return [new("host", Health.Warning, $"{url} does not answer", "Start it: ./run.sh")];
        }
    }

    /// <summary>
    /// Live boxes on this machine of sessions that have ended. What this key does not see may be another organization's, or
    /// another installation's, and is only counted.
    /// </summary>
    public static async Task<Finding> StaleBoxesAsync(CoordinatorClient client, IReadOnlyCollection<string> running, CancellationToken cancellationToken)
    {
        List<string> stale = [];
        var unseen = 0;
        foreach (var session in running)
        {
            try
            {
                if ((await client.GetSessionAsync(session, cancellationToken)).Status == "archived") stale.Add(session);
            }
            catch (CoordinatorException e) when (e.Status == 404)
            {
                unseen++;
            }
        }

        var others = unseen == 0 ? string.Empty : $"; {unseen} more of sessions that this key does not see";
        return stale.Count == 0
            ? new("boxes", Health.Good, $"{running.Count - unseen} running, none stale{others}")
            : new("boxes", Health.Warning, $"of archived sessions: {string.Join(", ", stale)}{others}", "The host's sweep ends them within minutes; if they stay, restart the host.");
    }

    private static Finding Stranger(Uri url, int status) =>
        new("host", Health.Bad, $"{url} answers {status}, but not as Coordinator does", status is 502 or 503 or 504 ? "A load balancer or a proxy answers that has no ready host behind it: ask each host at its own address (--url). Else another program is there." : "Look at the address: another program, or the page of a proxy or a load balancer, is there.");

    private static IEnumerable<Finding> Dependencies(JsonElement report)
    {
        if (!report.TryGetProperty("dependencies", out var list) || list.ValueKind != JsonValueKind.Array) yield break;
        foreach (var item in list.EnumerateArray().Where(d => d.ValueKind == JsonValueKind.Object))
        {
            var ok = item.TryGetProperty("ready", out var ready) && ready.ValueKind == JsonValueKind.True;
            yield return new(Text(item, "name") ?? "?", ok ? Health.Good : Health.Bad, (ok ? Text(item, "description") : Text(item, "reason")) ?? (ok ? "works" : "does not work"));
        }
    }

    private static string? Text(JsonElement item, string name) =>
        item.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
