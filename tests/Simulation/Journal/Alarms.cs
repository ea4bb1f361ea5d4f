using Coordinator.Tests.Simulation.Hosts;
using Coordinator.Tests.Simulation.World;

namespace Coordinator.Tests.Simulation.Journal;

/// <summary>
/// The alarm clock and the hosts' sweeps of it: what an append wrote as the wake-up wakes the session on some host, at
/// least once, by the database's clock; late and twice when faults say so.
/// </summary>
internal sealed class Alarms(SimWorld world)
{
    private static readonly TimeSpan Hide = TimeSpan.FromSeconds(30);

    private readonly Dice dice = new(world.Plan.Seed, Streams.Sweep);
    private readonly TimeSpan?[] expected = new TimeSpan?[world.Plan.Sessions];

    /// <summary>Until then no host looks.</summary>
    public TimeSpan LateUntil { get; set; }

    public void Heal()
    {
        if (LateUntil > world.Now) LateUntil = world.Now;
    }

    /// <summary>A wake-up was written: some host's sweep will see it within a second or two of its time.</summary>
    public void Expect(int session)
    {
        var row = world.Database.Row(session);
        if (row.WakeAt is not { } due) return;
        var at = (due > row.HiddenUntil ? due : row.HiddenUntil) - world.Epoch + dice.Between(TimeSpan.Zero, TimeSpan.FromSeconds(2));
        if (at < world.Now) at = world.Now;
        if (expected[session] <= at && expected[session] >= world.Now) return;
        expected[session] = at;
        world.After(at - world.Now, () => Sweep(session, at));
    }

    /// <summary>Wakes the session on a host, whether it is due or not.</summary>
    public void Ring(int session)
    {
        if (world.LiveHost(dice, session) is not { } host) return;
        host.After(world.Delay(dice), () => host.Activate(session, create: false, (activation, _) => activation?.Post(new Ports.Session.SessionInput.AlarmDue())));
    }

    /// <summary>Some host that asks; it may be one that does not hear the answer.</summary>
    private SimHost? Claimant()
    {
        var asking = world.Hosts.Where(host => host.IsUp && host.ToDatabase.TakesRequests).ToArray();
        return asking.Length == 0 ? null : dice.Pick(asking);
    }

    private void Sweep(int session, TimeSpan at)
    {
        if (expected[session] != at)
        {
            world.Nothing();
            return;
        }

        expected[session] = null;
        var row = world.Database.Row(session);
        if (row.WakeAt is not { } due) return;
        if (due > world.Clock || row.HiddenUntil > world.Clock)
        {
            Expect(session);
        }
        else if (world.Database.IsDown || world.Now < LateUntil || Claimant() is not { } claimant)
        {
            var later = world.Now + TimeSpan.FromSeconds(3);
            expected[session] = later;
            world.After(later - world.Now, () => Sweep(session, later));
        }
        else
        {
            world.Trace($"session {session} is due");
            row.HiddenUntil = world.Clock + Hide;
            if (claimant.ToDatabase.BringsAnswers) Ring(session);
            Expect(session);
        }
    }
}
