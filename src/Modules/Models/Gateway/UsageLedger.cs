using Coordinator.Modules.Kernel.Http;
using Coordinator.Modules.Models.Metering;
using Coordinator.Ports;
using Coordinator.Ports.Models;
using Coordinator.Ports.Session;
using Microsoft.Extensions.Logging;

namespace Coordinator.Modules.Models.Gateway;

/// <summary>Prices what a call used and makes it durable in the session.</summary>
internal sealed partial class UsageLedger(ISessionHost sessions, IModelCatalog catalog, TimeProvider time, ILogger<UsageLedger> logger)
{
    private const int Attempts = 4;

    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(100);

    /// <summary>How long recording may take in all.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>
    /// True when the usage is durable. A journal that is down for a moment is waited for; an outcome that is not known is
    /// not tried again, for the usage would count twice.
    /// </summary>
    public async Task<bool> RecordAsync(AuthorizedBox box, string model, TokenCounts counts)
    {
        using var patience = new CancellationTokenSource(Patience, time);
        try
        {
            var usage = UsagePricing.Price(model, counts, await catalog.FindAsync(model, patience.Token));
            return await RecordAsync(box, usage, patience.Token);
        }
        catch (OperationCanceledException) when (patience.IsCancellationRequested)
        {
            LogGaveUp(logger, box.Key, model, counts.Input, counts.Output);
            return false;
        }
        catch (PortException failure)
        {
            LogFailed(logger, box.Key, model, counts.Input, counts.Output, failure.Kind, failure);
            return false;
        }
    }

    private async Task<bool> RecordAsync(AuthorizedBox box, ModelUsage usage, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                var answer = await sessions.CallAsync(box.Key, new SessionCommand.RecordUsage(box.Credential, usage), cancellationToken);
                if (!answer.IsSuccess) LogRefused(logger, box.Key, usage.Model, usage.InputTokens, usage.OutputTokens, answer.Problem.Code);
                return answer.IsSuccess;
            }
            catch (PortException failure) when (!failure.EffectMayHaveHappened && attempt < Attempts)
            {
                await Task.Delay(FirstPause * (1 << attempt), time, cancellationToken);
            }
        }
    }

    [LoggerMessage(EventId = 5001, Level = LogLevel.Error, Message = "{Session}: {Input} + {Output} tokens of {Model} could not be recorded in time.")]
    private static partial void LogGaveUp(ILogger logger, SessionKey session, string model, long input, long output);

    [LoggerMessage(EventId = 5002, Level = LogLevel.Error, Message = "{Session}: {Input} + {Output} tokens of {Model} could not be recorded: {Kind}.")]
    private static partial void LogFailed(ILogger logger, SessionKey session, string model, long input, long output, PortFailureKind kind, Exception failure);

    [LoggerMessage(EventId = 5003, Level = LogLevel.Warning, Message = "{Session} refused to record {Input} + {Output} tokens of {Model}: {Code}.")]
    private static partial void LogRefused(ILogger logger, SessionKey session, string model, long input, long output, string code);
}
