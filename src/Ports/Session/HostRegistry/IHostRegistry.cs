namespace Coordinator.Ports.Session;

/// <summary>
/// What the hosts of one store know of each other: who is alive, where peers reach it, and which of them owns a session.
/// A host is alive while it keeps its registration's lock, which the store frees the moment its process or its connection
/// is gone, and has been heard within three quarters of its time to live by the store's clock (<see cref="HostPulse.DeadAfter"/>), which covers hosts that hang or are cut off.
/// Liveness decides who may try; what keeps the log whole is the epoch of <see cref="ISessionJournal"/> alone.
/// </summary>
[Port(Plane.Session)]
public interface IHostRegistry
{
    /// <summary>
    /// Makes this process a host under an id that no host had before, reached by its peers at the address that it gives,
    /// and keeps it heard until the registration is disposed or lost.
    /// </summary>
    /// <exception cref="PortException">
    /// <see cref="PortFailureKind.Unavailable"/>: among others that its peers would not believe it (<see cref="HostAccord"/>); it may come right, and is tried again.
    /// </exception>
    ValueTask<IHostRegistration> RegisterAsync(HostIntroduction introduction, CancellationToken cancellationToken);

    /// <summary>The live host that owns the session; null when nobody does, or who did is not alive. Changes nothing.</summary>
    ValueTask<HostLocation?> FindAsync(SessionKey key, CancellationToken cancellationToken);

    /// <summary>
    /// True while the host is alive to its peers: whoever waits for one of its answers may go on waiting. False says so for
    /// good, unless it only hangs, and is heard again before somebody takes something over from it. Changes nothing.
    /// </summary>
    ValueTask<bool> IsAliveAsync(HostId host, CancellationToken cancellationToken);

    /// <summary>
    /// Says which host is to open the session: another one that is alive and owns it, or <paramref name="claimant"/>, whose
    /// it then is. Of claimants at once exactly one is named. A dead owner's connections are ended first, so that nothing
    /// it sent is still under way, unless its process is alive under another id, which loses nothing by this; and its leases of this
    /// session are fenced. Each session is taken over by itself. A session that does not exist is the claimant's to open, and opening it says so. Idempotent.
    /// </summary>
    /// <exception cref="PortException">
    /// <see cref="PortFailureKind.Fenced"/>: the claimant itself is not alive to its peers, and must register anew.
    /// </exception>
    ValueTask<HostLocation> ClaimAsync(SessionKey key, IHostRegistration claimant, CancellationToken cancellationToken);

    /// <summary>
    /// Listens for what hosts tell (<see cref="IHostRegistration.Tell"/>) of the session from here on. It is a hint to look at
    /// once: it may come for nothing, and is missed while the store cannot be reached, so whoever listens looks now and then too.
    /// </summary>
    IOpeningListener Listen(SessionKey key);
}

/// <summary>One who wants to know when a session is opened. Dispose to listen no more.</summary>
public interface IOpeningListener : IDisposable
{
    /// <summary>Completes, and never fails, when the session may have been opened by some host.</summary>
    Task Opened { get; }
}

/// <summary>A host, and where its peers reach it.</summary>
public sealed record HostLocation(HostId Id, Uri Address);

/// <summary>
/// A process's being a host. Once lost it is lost for good: the process must stop what it does for sessions and register
/// anew. Dispose to leave in good order: what the host owned is free at once.
/// </summary>
public interface IHostRegistration : IAsyncDisposable
{
    /// <summary>Under which id its peers know this host, and where they reach it.</summary>
    HostLocation Location { get; }

    /// <summary>Cancelled when the registration is lost, at the latest half of the time to live after the host was last heard.</summary>
    CancellationToken Lost { get; }

    /// <summary>Why it is lost, judged at the moment of asking; null while it holds.</summary>
    HostLoss? Loss { get; }

    /// <summary>
    /// Tells all hosts, soon and together with others, that this one has opened the session. Waits for nothing and never
    /// fails; what cannot be told is not.
    /// </summary>
    void Tell(SessionKey key);
}

/// <summary>Why a host must not go on under its id.</summary>
public enum HostLoss
{
    /// <summary>By its own monotonic clock it was not heard for half of its time to live: peers take it for dead after three quarters.</summary>
    Unheard,

    /// <summary>The connection that held its lock is gone: peers may take it for dead now.</summary>
    LockGone,

    /// <summary>A peer has found it dead.</summary>
    MarkedDead,

    /// <summary>Its peers do not believe it, and are right by <see cref="HostAccord"/>: its clock was set, or theirs, or theirs is another key.</summary>
    Disbelieved,
}
