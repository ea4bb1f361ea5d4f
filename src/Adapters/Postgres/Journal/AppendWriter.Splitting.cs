using Coordinator.Ports;
using Npgsql;

namespace Coordinator.Adapters.Postgres.Journal;

/// <content>Finds those of a refused group that it was refused for, so that they alone fail.</content>
internal sealed partial class AppendWriter
{
    /// <summary>So many of a group that are refused alone, each as both halves of it were, and the rest is taken to be refused as well.</summary>
    private const int Samples = 8;

    /// <summary>Writes the group, or of one that is refused all but those that it is refused for. Every append of it has its answer then.</summary>
    private async Task WriteAsync(IReadOnlyList<PendingAppend> group, int tries)
    {
        if (await TryWriteAsync(group, tries) is { } refused) await SplitAsync(group, refused);
    }

    /// <summary>
    /// Refused for its data, or for what one session's rows meet, such as a damaged block: halved until the culprit stands alone, so that only it
    /// fails. It is tried again where its caller does so, and its neighbours are written each time. What all of them meet, such as a grant
    /// that was lost, is asked after a few times and not for each.
    /// </summary>
    private async Task SplitAsync(IReadOnlyList<PendingAppend> group, Exception refused)
    {
        if (group.Count == 1)
        {
            RefuseAlone(group[0], refused);
            return;
        }

        if (DatabaseFailure.IsOfLock(refused) && await TryWithoutHeldAsync(group, refused)) return;
        IReadOnlyList<PendingAppend> one = [.. group.Take(group.Count / 2)], other = [.. group.Skip(group.Count / 2)];
        var (first, second) = (await TryWriteAsync(one, Tries), await TryWriteAsync(other, Tries));
        if (group.Count > 2 && AreAlike(refused, first) && AreAlike(refused, second))
        {
            await WriteAsync(await SampleAsync(group, refused), Tries);
            return;
        }

        if (first is not null) await SplitAsync(one, first);
        if (second is not null) await SplitAsync(other, second);
    }

    /// <summary>Writes some of the group alone, from all over it: its order is by age, and neighbours may share a block. Returns those that have no answer then: none when all of the samples were refused alike.</summary>
    private async Task<IReadOnlyList<PendingAppend>> SampleAsync(IReadOnlyList<PendingAppend> group, Exception refused)
    {
        var samples = Math.Min(Samples, group.Count);
        var alike = true;
        for (var sample = 0; sample < samples; sample++)
        {
            var tried = group[sample * group.Count / samples];
            var met = await TryWriteAsync([tried], Tries);
            if (met is not null) RefuseAlone(tried, met);
            alike &= AreAlike(refused, met);
        }

        List<PendingAppend> left = [.. group.Where((_, i) => !IsSample(i))];
        if (!alike) return left;
        if (DatabaseFailure.IsOfLock(refused))
        {
            foreach (var pending in left) Keep(pending, refused);
            return [];
        }

        if (left.Count > 0) LogRefusedAll(left.Count, refused);
        FailAll(left, refused);
        return [];

        bool IsSample(int i) => Enumerable.Range(0, samples).Any(sample => sample * group.Count / samples == i);
    }

    private void RefuseAlone(PendingAppend pending, Exception refused)
    {
        if (DatabaseFailure.IsOfLock(refused))
        {
            Keep(pending, refused);
            return;
        }

        if (refused is PostgresException met && !DatabaseFailure.IsOfData(met))
        {
            FailAll([pending], met);
            return;
        }

        LogRejected(pending.Lease.Key, refused);
        pending.Fail(new(PortFailureKind.Rejected, $"The database refuses the data of this append: {(refused as PostgresException)?.MessageText ?? refused.Message}", inner: refused));
    }

    /// <summary>True when both were refused, for the same reason, and that is none of their data: data is always its session's own.</summary>
    private static bool AreAlike(Exception one, Exception? other) =>
        one is PostgresException refused && !DatabaseFailure.IsOfData(refused) && other is PostgresException also && also.SqlState == refused.SqlState;
}
