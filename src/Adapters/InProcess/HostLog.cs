using Coordinator.Ports;
using Microsoft.Extensions.Logging;

namespace Coordinator.Adapters.InProcess;

/// <summary>What the session host says; event ids 2000 to 2099.</summary>
internal sealed partial class HostLog(ILogger logger)
{
    [LoggerMessage(2001, LogLevel.Error, "The activation of {Session} failed and ends")]
    public partial void ActivationFailed(Exception failure, SessionKey session);

    [LoggerMessage(2002, LogLevel.Information, "The outcome of {EffectKey} came after the activation of {Session} had ended; the next one asks again")]
    public partial void OutcomeDropped(string effectKey, SessionKey session);

    [LoggerMessage(2003, LogLevel.Warning, "No snapshot of {Session} could be kept; the next activation reads its journal from further back")]
    public partial void SnapshotFailed(Exception failure, SessionKey session);

    [LoggerMessage(2004, LogLevel.Warning, "The lease of {Session} could not be given back; the next activation takes it")]
    public partial void ReleaseFailed(Exception failure, SessionKey session);

    [LoggerMessage(2005, LogLevel.Warning, "The journal is down; the append of {Session} waits")]
    public partial void JournalDown(Exception failure, SessionKey session);

    [LoggerMessage(2006, LogLevel.Warning, "The alarm clock cannot be read; it is tried again")]
    public partial void AlarmsFailed(Exception failure);

    [LoggerMessage(2010, LogLevel.Error, "A look for who is due ended as nobody foresaw; the next follows")]
    public partial void SweepFailed(Exception failure);

    [LoggerMessage(2007, LogLevel.Warning, "{Session} is due and could not be woken; it stays due")]
    public partial void WakeFailed(Exception failure, SessionKey session);

    [LoggerMessage(2008, LogLevel.Information, "Draining {Count} sessions")]
    public partial void Draining(int count);

    [LoggerMessage(2009, LogLevel.Warning, "The snapshot of {Session} at version {Version} is damaged; the session is read from its journal")]
    public partial void SnapshotDamaged(SessionKey session, long version);
}
