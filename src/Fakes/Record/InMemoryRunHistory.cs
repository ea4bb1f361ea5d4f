using Coordinator.Ports;
using Coordinator.Ports.Record;

namespace Coordinator.Fakes;

/// <summary>Run history as lists in memory, one chain per session.</summary>
public sealed class InMemoryRunHistory : IRunHistory
{
    private readonly Lock gate = new();
    private readonly Dictionary<(OrganizationId, SessionId), List<StoredRun>> chains = [];

    /// <summary>Faults of every method.</summary>
    public FaultSwitch Faults { get; } = new();

    /// <summary>Changes a stored run behind the history's back, as somebody with access to the store could.</summary>
    public void Tamper(OrganizationId organization, RunId run, Func<RunRecord, RunRecord> change)
    {
        lock (gate)
        {
            var chain = chains.Values.Single(chain => chain.Any(stored => stored.Run.Organization == organization && stored.Run.Id == run));
            var index = chain.FindIndex(stored => stored.Run.Id == run);
            chain[index] = chain[index] with { Run = change(chain[index].Run) };
        }
    }

    public ValueTask FlushAsync(RunRecord run, CancellationToken cancellationToken) =>
        Faults.Run(() =>
        {
            RunTexts.Check(run);
            lock (gate) Append(Kept(run));
        }, cancellationToken);

    public ValueTask<IReadOnlyList<StoredRun>> ListAsync(OrganizationId organization, SessionId? session, RunId? before, int limit, CancellationToken cancellationToken) =>
        Faults.Run<IReadOnlyList<StoredRun>>(() =>
        {
            lock (gate)
            {
                var newestFirst = chains
                    .Where(chain => chain.Key.Item1 == organization && (session is null || chain.Key.Item2 == session))
                    .SelectMany(chain => chain.Value)
                    .OrderByDescending(stored => stored.Run.EndedAt).ThenByDescending(stored => stored.Run.Ordinal).ThenByDescending(stored => stored.Run.Id.ToString(), StringComparer.Ordinal);
                var rest = before is null ? newestFirst : newestFirst.SkipWhile(stored => stored.Run.Id != before).Skip(1);
                return [.. rest.Take(limit)];
            }
        }, cancellationToken);

    public ValueTask<StoredRun?> FindAsync(OrganizationId organization, RunId run, CancellationToken cancellationToken) =>
        Faults.Run(() =>
        {
            lock (gate) return chains.Where(chain => chain.Key.Item1 == organization).SelectMany(chain => chain.Value).FirstOrDefault(stored => stored.Run.Id == run);
        }, cancellationToken);

    public ValueTask<RunId?> VerifyChainAsync(OrganizationId organization, SessionId session, CancellationToken cancellationToken) =>
        Faults.Run(() =>
        {
            lock (gate)
            {
                var chain = chains.GetValueOrDefault((organization, session)) ?? [];
                return chain.Where((stored, index) => !RunChain.Follows(index == 0 ? RunChain.Genesis : chain[index - 1].Hash, stored)).Select(stored => (RunId?)stored.Run.Id).FirstOrDefault();
            }
        }, cancellationToken);

    private void Append(RunRecord run)
    {
        if (chains.Where(known => known.Key.Item1 == run.Organization).SelectMany(known => known.Value).Any(stored => stored.Run.Id == run.Id)) return;
        if (!chains.TryGetValue((run.Organization, run.Session), out var chain)) chains.Add((run.Organization, run.Session), chain = []);
        if (chain.Any(stored => stored.Run.Ordinal == run.Ordinal)) throw new PortException(PortFailureKind.Rejected, $"The session has another run {run.Ordinal} already.");
        var previous = chain.Count == 0 ? RunChain.Genesis : chain[^1].Hash;
        chain.Add(new(run, previous, RunChain.HashOf(previous, run)));
    }

    private static RunRecord Kept(RunRecord run) => run with
    {
        QueuedAt = RunChain.Kept(run.QueuedAt),
        StartedAt = RunChain.Kept(run.StartedAt),
        EndedAt = RunChain.Kept(run.EndedAt),
    };
}
