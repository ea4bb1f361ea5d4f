using Coordinator.Ports;
using Coordinator.Tests.Simulation.World;

namespace Coordinator.Tests.Simulation.Invariants;

/// <summary>Once everything is whole, a message must not be shown as running for long when no agent works on it any more.</summary>
internal sealed class IdleWatch
{
    private readonly Dictionary<MessageId, TimeSpan> since = [];

    public void Look(SimWorld world)
    {
        // Each host that takes the session over waits for a silent box anew, as often as graces allow.
        var limits = world.Plan.Limits;
        var limit = ((limits.Graces + 1) * limits.SandboxGiveUp) + limits.MessageStart + TimeSpan.FromMinutes(5);
        for (var i = 0; i < world.Plan.Sessions; i++)
        {
            if (world.Audit.Of(i).Running is not { } message) continue;
            if (world.Provider.Running.Any(box => box.Agent.Current == message)) since.Remove(message);
            else if (!since.TryAdd(message, world.Now) && world.Now - since[message] > limit)
                throw new InvariantBrokenException(Invariant.EverythingEnds, $"session {i}: {message} is said to run and no agent has worked on it for {limit.TotalMinutes:0} minutes");
        }
    }
}
