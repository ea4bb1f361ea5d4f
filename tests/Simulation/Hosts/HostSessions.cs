using Coordinator.Ports;
using Coordinator.Ports.Session;
using Coordinator.Tests.Simulation.World;

namespace Coordinator.Tests.Simulation.Hosts;

/// <summary>Sessions as the modules of one host reach them: mostly where their actor is, otherwise here.</summary>
internal sealed class HostSessions(SimWorld world, SimHost host) : ISessionHost
{
    public async ValueTask<Result<SessionReply>> CallAsync(SessionKey key, SessionCommand command, CancellationToken cancellationToken)
    {
        var session = Names.IndexOf(key.Session);
        var answered = new TaskCompletionSource<Result<SessionReply>>();
        using var givenUp = cancellationToken.Register(() => answered.TrySetCanceled(cancellationToken));
        var there = world.LiveHost(host.Dice, session) ?? host;
        world.After(there == host ? TimeSpan.Zero : world.Delay(host.Dice), () => there.After(TimeSpan.Zero, () =>
            there.Call(session, create: false, id => new SessionInput.Called(id, command), answer => host.After(world.Delay(host.Dice), () =>
            {
                if (answer is { } given) answered.TrySetResult(given);
                else answered.TrySetException(new PortException(PortFailureKind.Unavailable, "The session's host is stopping.", effectMayHaveHappened: true));
            }))));
        return await answered.Task;
    }

    public ValueTask<Result<ISessionSubscription>> SubscribeAsync(SessionKey key, SessionCursor? after, CancellationToken cancellationToken) =>
        throw new NotSupportedException("Nothing of a host that is played here follows a session by itself.");

    public ValueTask<Result<IBridgeLink>> AttachBridgeAsync(SessionKey key, BoxCredential credential, BridgeHello hello, IBridgeSink sink, CancellationToken cancellationToken) =>
        throw new NotSupportedException("Boxes are attached by the links of this world.");

    public ISessionHold? TryHold(SessionKey key) => throw new NotSupportedException("No model is called in this world.");

    public ValueTask DrainAsync(CancellationToken cancellationToken) => throw new NotSupportedException("Hosts are drained by the faults of this world.");
}
