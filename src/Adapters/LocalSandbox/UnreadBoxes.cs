using System.Globalization;
using Coordinator.Adapters.LocalSandbox.Layout;
using Coordinator.Ports;
using Microsoft.Extensions.Logging;

namespace Coordinator.Adapters.LocalSandbox;

/// <summary>The boxes of this machine whose records cannot be read: each is told once in the log, and their number in what the host's health says.</summary>
internal sealed partial class UnreadBoxes(ILogger<UnreadBoxes> logger)
{
    private volatile HashSet<BoxAddress> known = [];

    /// <summary>What follows the description of the machine; empty when there are none.</summary>
    public string Note => known.Count switch
    {
        0 => string.Empty,
        1 => "; 1 box has a record that cannot be read",
        var count => string.Create(CultureInfo.InvariantCulture, $"; {count} boxes have a record that cannot be read"),
    };

    /// <summary>Takes what a look at all boxes found.</summary>
    public void Update(BoxPaths paths, BoxSurvey survey)
    {
        var (before, found) = (known, survey.Records.Where(record => record.IsDamaged).Select(record => record.Address).Concat(survey.Unread).ToHashSet());
        known = found;
        foreach (var box in found.Where(box => !before.Contains(box))) LogUnread(box.Sandbox, box.Session, paths.Of(box).Record);
    }

    [LoggerMessage(5231, LogLevel.Error, "The record of box {Sandbox} of {Session} cannot be read: {File}. Other boxes are not touched by it. What runs of it goes on, is found by its control group and its environment, and ends with its session, or with the session's next box.")]
    private partial void LogUnread(SandboxId sandbox, SessionId session, string file);
}
