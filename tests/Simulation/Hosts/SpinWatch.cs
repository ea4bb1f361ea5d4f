using Coordinator.Ports.Session;
using Coordinator.Tests.Simulation.Invariants;
using Coordinator.Tests.Simulation.World;

namespace Coordinator.Tests.Simulation.Hosts;

/// <summary>A machine that is woken again and again and does nothing would burn a core of its host.</summary>
internal sealed class SpinWatch
{
    private const int Most = 200;
    private static readonly TimeSpan Within = TimeSpan.FromSeconds(1);

    private TimeSpan since;
    private int rings;

    public void Look(SimWorld world, int session, SessionInput input)
    {
        if (input is not SessionInput.AlarmDue || world.Now - since > Within) (since, rings) = (world.Now, 0);
        else if (++rings > Most) throw new InvariantBrokenException(Invariant.NothingThrows, $"session {session} was woken by its own timer {rings} times within a second and did nothing");
    }
}
