using Coordinator.Ports;
using Coordinator.Ports.Session;
using Microsoft.Extensions.Logging;

namespace Coordinator.Adapters.InProcess;

internal sealed partial class EffectPool
{
    [LoggerMessage(2051, LogLevel.Information, "Effect {EffectKey} of {Session} was abandoned because the host stops")]
    private partial void EffectAbandoned(string effectKey, SessionKey session);

    [LoggerMessage(2052, LogLevel.Error, "The outcome of effect {EffectKey} could not be given to {Session}")]
    private partial void EffectUnsettled(Exception failure, string effectKey, SessionKey session);

    [LoggerMessage(2053, LogLevel.Warning, "Effect {EffectKey} of {Session} took too long")]
    private partial void EffectTimedOut(string effectKey, SessionKey session);

    [LoggerMessage(2054, LogLevel.Error, "Effect {EffectKey} of {Session} failed unexpectedly")]
    private partial void EffectFailed(Exception failure, string effectKey, SessionKey session);

    [LoggerMessage(2055, LogLevel.Warning, "Effect {EffectKey} of {Session} did not begin: {AtOnce} of its kind, all that may, were under way for too long")]
    private partial void EffectNotBegun(string effectKey, SessionKey session, int atOnce);
}
