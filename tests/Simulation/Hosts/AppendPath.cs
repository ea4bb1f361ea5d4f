using Coordinator.Ports.Session;
using Coordinator.Tests.Simulation.Mutations;
using Coordinator.Tests.Simulation.World;

namespace Coordinator.Tests.Simulation.Hosts;

/// <summary>
/// An append on its way to the database and back. It may be late, refused because the database is down and tried again, or
/// written and its answer lost; then the head is read, and when that fails too, nobody knows and the activation must end.
/// </summary>
internal sealed class AppendPath(SimWorld world, SimHost host, int session, JournalLease lease)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    public bool IsUnderWay { get; private set; }

    /// <param name="record">What to write.</param>
    /// <param name="done">Hears the version that is durable; null: fenced or unknown.</param>
    public void Send(JournalAppend record, Action<long?> done)
    {
        IsUnderWay = true;
        Try(record, world.Now, done);
    }

    /// <summary>The request is on its way from now on, whatever becomes of the host.</summary>
    private void Try(JournalAppend record, TimeSpan began, Action<long?> done)
    {
        var fault = world.Faults.TakeAppend();
        var way = world.Delay(host.Dice);
        if (fault == AppendFault.Late) way += TimeSpan.FromSeconds(1 + host.Dice.Below(60));
        if (fault == AppendFault.HostDies)
        {
            host.After(2 * way * host.Dice.Fraction(), () =>
            {
                host.Crash();
                world.After(TimeSpan.FromMilliseconds(50L << host.Dice.Below(10)), host.Start);
            });
        }

        var leaves = host.FrozenUntil > world.Now ? host.FrozenUntil - world.Now : TimeSpan.Zero;
        var (life, server) = (host.Life, world.Database.Server);
        var lostOnTheWay = fault == AppendFault.AnswerLost && host.Dice.Percent(50);
        var connects = host.ToDatabase.TakesRequests || host.Dice.Percent(50);
        world.After(leaves + way, () =>
        {
            // What was on its way to a server goes with it.
            if (world.Database.IsDown || world.Database.Server != server || !connects)
            {
                Back(world.Delay(host.Dice), () => Again(record, began, done));
                return;
            }

            if (host.Life != life) world.Database.WasWrittenByTheDead = true;
            lostOnTheWay |= !host.ToDatabase.TakesRequests;
            var written = !lostOnTheWay && world.Database.Append(session, lease, record);
            if (!written) world.Trace($"append of host {host.Index} to session {session} at epoch {lease.Epoch} is not written");
            if (fault == AppendFault.AnswerLost || lostOnTheWay || !host.ToDatabase.BringsAnswers) Back(TimeSpan.FromSeconds(5), () => Look(record, lostOnTheWay, written, began, done));
            else Back(world.Delay(host.Dice), () => Done(written ? record.ExpectedVersion + 1 : null, done));
        });

        // An answer finds the process that asked, or nobody: who starts in its place asked for nothing.
        void Back(TimeSpan delay, Action what)
        {
            if (host.Life == life) host.After(delay, what);
        }
    }

    /// <summary>The answer did not come: the head tells, unless it cannot be read either.</summary>
    private void Look(JournalAppend record, bool lostOnTheWay, bool written, TimeSpan began, Action<long?> done)
    {
        if (world.Mutation == Mutation.UnknownTakenForWritten) Done(record.ExpectedVersion + 1, done);
        else if (!host.ReachesDatabase || host.Dice.Percent(30)) Done(null, done);
        else if (lostOnTheWay) Again(record, began, done);
        else Done(written ? record.ExpectedVersion + 1 : null, done);
    }

    private void Again(JournalAppend record, TimeSpan began, Action<long?> done)
    {
        if (world.Now - began >= Patience) Done(null, done);
        else host.After(TimeSpan.FromMilliseconds(200 + host.Dice.Below(800)), () => Try(record, began, done));
    }

    private void Done(long? version, Action<long?> done)
    {
        IsUnderWay = false;
        done(version);
    }
}

/// <summary>What goes wrong with one append.</summary>
internal enum AppendFault
{
    None,
    AnswerLost,
    Late,
    HostDies,
}
