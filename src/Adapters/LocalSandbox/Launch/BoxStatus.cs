using System.Text.Json;

namespace Coordinator.Adapters.LocalSandbox.Launch;

/// <summary>What bubblewrap wrote to its status descriptor: one JSON object when the box began, one when it ended.</summary>
internal readonly record struct BoxStatus(int? MainPid, long? PidNamespace, int? ExitCode)
{
    /// <summary>Reads what there is; a line that is still being written counts as not there.</summary>
    public static BoxStatus Read(string file)
    {
        var status = default(BoxStatus);
        if (!File.Exists(file)) return status;
        foreach (var line in File.ReadAllLines(file))
        {
            if (Parse(line) is not { } values) continue;
            status = new(values.MainPid ?? status.MainPid, values.PidNamespace ?? status.PidNamespace, values.ExitCode ?? status.ExitCode);
        }

        return status;
    }

    private static BoxStatus? Parse(string line)
    {
        try
        {
            using var document = JsonDocument.Parse(line);
            var root = document.RootElement;
            return new((int?)Number(root, "child-pid"), Number(root, "pid-namespace"), (int?)Number(root, "exit-code"));
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static long? Number(JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value) && value.TryGetInt64(out var number) ? number : null;
}
