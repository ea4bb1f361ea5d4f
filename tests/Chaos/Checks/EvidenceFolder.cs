using System.Globalization;
using Coordinator.Tests.Chaos.Load;
using Coordinator.Tests.Support.Following;

namespace Coordinator.Tests.Chaos.Checks;

/// <summary>Where what speaks against a run is left for whoever looks into it. It is made when there is something.</summary>
internal sealed class EvidenceFolder(string path)
{
    public string Path { get; } = System.IO.Path.GetFullPath(path);

    /// <summary>A folder within it.</summary>
    public EvidenceFolder Within(string name) => new(System.IO.Path.Combine(Path, name));

    /// <summary>Everything that is known of a session in which something was found.</summary>
    public void Keep(SessionEvidence session)
    {
        Keep($"{session.Session}.journal", session.Journal.Select(Line));
        foreach (var log in session.Logs) Keep($"{session.Session}.{log.Who.Replace(' ', '-')}", log.Events.Select(Line));
        Keep($"{session.Session}.asked", session.Asked.Select(asked => $"{asked.Word} {asked.Count} {asked.Message ?? "no answer"}"));
        Keep($"{session.Session}.prompts", session.PromptsRun);
        Keep($"{session.Session}.struck", session.Struck.Select(strike => string.Create(CultureInfo.InvariantCulture, $"{strike.At:O} {strike.Kind}")));
        Keep($"{session.Session}.runs", session.Runs.Select(run => $"{run.Message} {run.FirstSeq} {run.LastSeq}"));
    }

    /// <summary>What the clients of a session were shown whose journal was not come to.</summary>
    public void Keep(LoadedSession session)
    {
        Keep($"{session.Id}.socket", session.Socket.Log.Select(Line));
        Keep($"{session.Id}.stream", session.StreamLog.Snapshot().Select(Line));
        Keep($"{session.Id}.findings", session.Findings.Select(finding => finding.ToString()));
    }

    public void Keep(string name, IEnumerable<string> lines)
    {
        Directory.CreateDirectory(Path);
        File.WriteAllLines(System.IO.Path.Combine(Path, name), lines);
    }

    private static string Line(ShownEvent e) => string.Create(CultureInfo.InvariantCulture, $"{(e.From is { } from ? $"{from}-" : "")}{e.Seq} {e.At:O} {e.Type} {e.MessageId} {e.Data}");
}
