using Coordinator.Modules.Kernel.Http;
using Coordinator.Modules.Models.Metering;
using Coordinator.Ports;
using Coordinator.Ports.Models;
using Coordinator.Ports.Session;
using Microsoft.Extensions.Logging;

namespace Coordinator.Modules.Models.Gateway;

/// <summary>Prices what a call used and makes it durable in the session, once however often it is tried.</summary>
internal sealed partial class UsageLedger(ISessionHost sessions, IModelCatalog catalog, TimeProvider time, ILogger<UsageLedger> logger)
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(200);

    /// <summary>Short beside what a session remembers of its calls: one that was recorded is asked for again before it is forgotten.</summary>
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(1);

    /// <summary>
    /// How long recording may take in all. A host that hangs is found dead and taken over within it, and one that is alive and cannot be heard has had its
    /// time to answer.
    /// </summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    /// <summary>How long it may still take once the host waits no longer with its stop; and how long an answer is held up for it.</summary>
    public static readonly TimeSpan ShortPatience = TimeSpan.FromSeconds(10);

    /// <summary>The usage of a call that begins.</summary>
    /// <param name="givenUp">Cancelled when the host waits no longer with its stop.</param>
    public CallUsage Open(AuthorizedBox box, string model, CancellationToken givenUp) => new(this, new(ModelCallId.New(time), box, model), time, givenUp);

    /// <summary>True when the usage is durable. Whatever may pass is waited for, an outcome that is not known too: the session knows the call again.</summary>
    internal async Task<bool> RecordAsync(MeteredCall call, TokenCounts counts, CancellationToken givenUp)
    {
        PortException? last = null;
        using var patience = new CancellationTokenSource(Patience, time);
        await using var hurry = givenUp.UnsafeRegister(static patience => ((CancellationTokenSource)patience!).CancelAfter(ShortPatience), patience);
        try
        {
            for (var pause = FirstPause; ; pause = pause * 2 < LongestPause ? pause * 2 : LongestPause)
            {
                try
                {
                    return await TryAsync(call, counts, patience.Token);
                }
                catch (PortException failure) when (failure.EffectMayHaveHappened || MayPass(failure.Kind))
                {
                    last = failure;
                }

                await Task.Delay(pause, time, patience.Token);
            }
        }
        catch (OperationCanceledException) when (patience.IsCancellationRequested)
        {
            LogGaveUp(logger, call.Box.Key, call.Model, counts.Input, counts.Output, last);
            return false;
        }
        catch (PortException failure)
        {
            LogFailed(logger, call.Box.Key, call.Model, counts.Input, counts.Output, failure.Kind, failure);
            return false;
        }
    }

    internal void HeldUp(MeteredCall call) => LogHeldUp(logger, call.Box.Key, call.Model, call.Id);

    internal void RecordedLate(MeteredCall call) => LogRecordedLate(logger, call.Box.Key, call.Model, call.Id);

    private async Task<bool> TryAsync(MeteredCall call, TokenCounts counts, CancellationToken cancellationToken)
    {
        var usage = UsagePricing.Price(call.Model, counts, await catalog.FindAsync(call.Model, cancellationToken));
        var answer = await sessions.CallAsync(call.Box.Key, new SessionCommand.RecordUsage(call.Box.Credential, usage, call.Id), cancellationToken);
        if (!answer.IsSuccess) LogRefused(logger, call.Box.Key, call.Model, counts.Input, counts.Output, answer.Problem.Code);
        return answer.IsSuccess;
    }

    private static bool MayPass(PortFailureKind kind) =>
        kind is PortFailureKind.Unavailable or PortFailureKind.Timeout or PortFailureKind.Limited or PortFailureKind.Full or PortFailureKind.Fenced;

    [LoggerMessage(EventId = 5001, EventName = LogEventNames.Lost + nameof(LogGaveUp), Level = LogLevel.Error, Message = "{Session}: {Input} + {Output} tokens of {Model} could not be recorded in time.")]
    private static partial void LogGaveUp(ILogger logger, SessionKey session, string model, long input, long output, Exception? last);

    [LoggerMessage(EventId = 5002, EventName = LogEventNames.Lost + nameof(LogFailed), Level = LogLevel.Error, Message = "{Session}: {Input} + {Output} tokens of {Model} could not be recorded: {Kind}.")]
    private static partial void LogFailed(ILogger logger, SessionKey session, string model, long input, long output, PortFailureKind kind, Exception failure);

    [LoggerMessage(EventId = 5003, Level = LogLevel.Warning, Message = "{Session} refused to record {Input} + {Output} tokens of {Model}: {Code}.")]
    private static partial void LogRefused(ILogger logger, SessionKey session, string model, long input, long output, string code);

    [LoggerMessage(EventId = 5004, Level = LogLevel.Warning, Message = "{Session}: what {Call} of {Model} used is not recorded yet. Its answer is cut; recording goes on.")]
    private static partial void LogHeldUp(ILogger logger, SessionKey session, string model, ModelCallId call);

    [LoggerMessage(EventId = 5005, Level = LogLevel.Information, Message = "{Session}: what {Call} of {Model} used is recorded, after its answer was cut.")]
    private static partial void LogRecordedLate(ILogger logger, SessionKey session, string model, ModelCallId call);
}

/// <summary>A call whose usage is to be recorded.</summary>
internal sealed record MeteredCall(ModelCallId Id, AuthorizedBox Box, string Model);
