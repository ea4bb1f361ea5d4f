namespace Coordinator.Ports;

/// <summary>
/// When a host may begin by itself what nobody asks it for, such as waking sessions that are due: once everything that it cannot
/// do without has started, its database's schema looked at among it. What is asked of it from outside is refused until then.
/// </summary>
public interface IHostReadiness
{
    /// <summary>Completes at that moment, and never fails.</summary>
    Task WhenReady { get; }
}
