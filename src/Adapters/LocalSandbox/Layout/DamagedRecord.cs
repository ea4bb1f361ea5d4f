using System.Globalization;
using System.Text.Json;
using Coordinator.Adapters.LocalSandbox.Launch;
using Coordinator.Ports.Compute;

namespace Coordinator.Adapters.LocalSandbox.Layout;

/// <summary>
/// Stands in for a record that is there and cannot be read. Its box may run and cost money, so it is never taken for
/// absent: its folder's name says which box it is, what it was started with which generation, and the mark that every box
/// has in its environment (as its control group, named by it) finds what runs of it.
/// </summary>
internal static class DamagedRecord
{
    /// <summary>Why such a box is said to have ended, when nothing of it runs.</summary>
    public const string Detail = "record_damaged";

    public static BoxRecord Of(BoxFiles files, BoxAddress box)
    {
        var generation = GenerationOf(files, box);
        Dictionary<string, string> labels = new(StringComparer.Ordinal) { [SandboxLabels.Session] = box.Session.ToString(), [SandboxLabels.Sandbox] = box.Sandbox.ToString() };
        if (generation > 0) labels[SandboxLabels.Generation] = generation.ToString(CultureInfo.InvariantCulture);
        return new()
        {
            Sandbox = box.Sandbox,
            Generation = generation,
            Organization = default,
            Session = box.Session,
            Labels = labels,
            CreatedAt = Directory.GetCreationTimeUtc(files.Directory),
            MemoryBytes = long.MaxValue,
            MemoryLimited = true, // how much it may use is not known: the watchdog ends nothing for it
            Isolated = false,
            EndDetail = Detail,
            IsDamaged = true,
        };
    }

    /// <summary>As its program was told at its start; 0 when that cannot be read either, or was removed with its token.</summary>
    private static int GenerationOf(BoxFiles files, BoxAddress box)
    {
        try
        {
            var told = JsonSerializer.Deserialize(File.ReadAllBytes(files.Config), BoxConfigurationJson.Default.BoxConfiguration);
            return told is not null && told.Sandbox == box.Sandbox ? told.Generation : 0;
        }
        catch (Exception e) when (e is JsonException || DiskFailure.Is(e))
        {
            return 0;
        }
    }
}
