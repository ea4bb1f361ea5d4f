using Coordinator.Ports;
using Coordinator.Ports.Record;
using Coordinator.Ports.Session;
using Microsoft.Extensions.Logging;

namespace Coordinator.Modules.Runs;

/// <summary>
/// Writes a session's finished run to the history. The session asks until it is told that it succeeded, so a history
/// that is down delays the record and nothing else.
/// </summary>
internal sealed partial class FlushRunEffect(IRunHistory history, ILogger<FlushRunEffect> logger) : ISessionEffectRunner
{
    public bool CanRun(SessionEffect effect) => effect is SessionEffect.FlushRun;

    public async ValueTask<EffectOutcome> RunAsync(SessionKey key, SessionEffect effect, CancellationToken cancellationToken)
    {
        var (run, wasRefused) = (SessionEffect.FlushRun)effect;
        if (run.Organization != key.Organization || run.Session != key.Session)
            throw new InvalidOperationException($"The session {key} wants to write a run of {run.Organization}:{run.Session}.");
        try
        {
            await history.FlushAsync(run, cancellationToken);
            return new EffectOutcome.Succeeded();
        }
        catch (PortException failure)
        {
            var retryable = IsRetryable(failure.Kind);
            if (retryable || wasRefused) LogFailed(run.Id, key, failure.Kind, retryable, failure);
            else LogRefused(run.Id, key, failure);
            return new EffectOutcome.Failed(ProblemOf(failure), retryable);
        }
    }

    /// <summary>What the store refuses for its content it refuses for ever; everything else may pass.</summary>
    private static bool IsRetryable(PortFailureKind kind) => kind != PortFailureKind.Rejected;

    private static Problem ProblemOf(PortException failure) => failure.Kind == PortFailureKind.Rejected
        ? new("run_rejected", "The run history refused this run; an operator must look at the log.")
        : new("run_history_unavailable", "The run history cannot be written for the moment; the run is kept with its session and written later.", ProblemKind.Unavailable, failure.RetryAfter);
}
