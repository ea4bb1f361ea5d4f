using Coordinator.Ports;
using Coordinator.Ports.Session;
using Coordinator.Tests.Simulation.Box;
using Coordinator.Tests.Simulation.Hosts;
using Coordinator.Tests.Simulation.Mutations;
using Coordinator.Tests.Simulation.World;

namespace Coordinator.Tests.Simulation.Provider;

/// <summary>Every minute some host lists the boxes and ends those that no session wants, as the orphan sweep does.</summary>
internal sealed class OrphanSweeps(SimWorld world)
{
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Grace = TimeSpan.FromMinutes(2);

    private readonly Dice dice = new(world.Plan.Seed, Streams.Sweep, 1);

    public void Begin() => world.After(Interval, Sweep);

    private void Sweep()
    {
        world.After(Interval, Sweep);
        if (world.Mutation == Mutation.NoSweep || world.LiveHost(dice, null) is not { } host) return;
        foreach (var box in world.Provider.List())
            if (box.IsRunning) host.After(world.Delay(dice), () => Judge(host, box));
    }

    private void Judge(SimHost host, SimBox box) =>
        host.Call(box.Session, create: false, id => new SessionInput.Called(id, new SessionCommand.AuthorizeBox(box.Credential)), answer =>
        {
            if (answer is not { IsSuccess: false } refused || !box.IsRunning) return;
            var isGone = refused.Problem.Kind == ProblemKind.NotFound;
            if (!isGone && world.Now - box.MadeAt < Grace) return;
            world.Trace($"sweep ends {box}: {refused.Problem.Code}");
            world.Provider.End(box, keepData: !isGone);
        });
}
