using Coordinator.Ports;

namespace Coordinator.Adapters.InProcess;

/// <summary>What every activation of a host shares. <see cref="Forget"/> takes an ended activation off the host's table.</summary>
internal sealed record ActivationServices(
    PatientJournal Journal,
    Followers Followers,
    RecentEvents Recent,
    EffectPool Effects,
    SessionHolds Holds,
    SessionHostOptions Options,
    TimeProvider Time,
    HostLog Log,
    Action<SessionKey, Activation> Forget);
