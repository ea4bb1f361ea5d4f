using System.Globalization;
using Coordinator.Client;
using Coordinator.Tests.Chaos.Load;

namespace Coordinator.Tests.Chaos.Checks;

/// <summary>Whether who resumes within what was merged is given all of it: who had read half of it before it was merged misses nothing.</summary>
internal static class MergedReading
{
    public static async Task<IReadOnlyList<Finding>> OfAsync(CoordinatorClient client, SessionEvidence session, CancellationToken cancellationToken)
    {
        List<Finding> found = [];
        foreach (var whole in session.Journal.Where(e => e.From is not null).Take(5))
        {
            var incarnation = (await client.ListEventsAsync(session.Session, null, 1, cancellationToken)).Cursor.Split('.')[0];
            var within = string.Create(CultureInfo.InvariantCulture, $"{incarnation}.{whole.From}");
            var next = (await client.ListEventsAsync(session.Session, within, 1, cancellationToken)).Items.Select(StreamFollower.Shown).FirstOrDefault();
            if (next != whole) found.Add(new(FindingKind.Missing, session.Session, $"who resumes after {within} is told {next}, and not {whole}"));
        }

        return found;
    }
}
