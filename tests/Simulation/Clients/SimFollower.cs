using Coordinator.Ports.Session;
using Coordinator.Tests.Simulation.Hosts;
using Coordinator.Tests.Simulation.Mutations;
using Coordinator.Tests.Simulation.World;

namespace Coordinator.Tests.Simulation.Clients;

/// <summary>
/// One subscription on one host, by the rules of the session host's: the past from the journal, then live; a batch that
/// leaves a gap sends it back to the journal, and what is known already is not shown again.
/// </summary>
internal sealed class SimFollower(SimWorld world, SimHost host, SimClient client, SessionCursor start)
{
    private readonly Queue<EventBatch> live = new();
    private long last = start.Seq;
    private long published;
    private bool isLive;
    private bool isPumping;

    public int Session => client.Session;

    public SimHost Host => host;

    /// <summary>The host ends the subscription.</summary>
    public void Close() => client.Disconnected(this);

    /// <summary>Begins to read the past.</summary>
    public void Begin() => Pump();

    /// <summary>A batch that has just become durable, or a word that the journal reaches so far.</summary>
    public void Offer(EventBatch batch)
    {
        published = Math.Max(published, batch.LastSeq);
        if (isLive) live.Enqueue(batch);
        if (isLive) Pump();
    }

    private void Pump()
    {
        if (isPumping) return;
        isPumping = true;
        host.After(world.Delay(host.Dice), () =>
        {
            isPumping = false;
            if (!client.Follows(this))
            {
                world.Nothing();
                return;
            }

            if (isLive) Next();
            else CatchUp();
        });
    }

    private void CatchUp()
    {
        if (!host.ReachesDatabase)
        {
            client.Disconnected(this);
            return;
        }

        ReadPast();
        isLive = published <= last;
        if (!isLive || live.Count > 0) Pump();
    }

    private void Next()
    {
        if (!live.TryDequeue(out var batch)) return;
        if (batch.FirstSeq > last + 1 && world.Mutation != Mutation.FollowerSkipsGap)
        {
            if (!host.ReachesDatabase)
            {
                client.Disconnected(this);
                return;
            }

            ReadPast();
        }

        if (batch.Events.Count > 0 && (world.Mutation == Mutation.FollowerShowsTwice ? batch : batch.After(last)) is { } rest)
        {
            foreach (var slice in rest.Events) client.Show(slice.Seq, rest.Utf8.Span.Slice(slice.Offset, slice.Length));
            last = rest.LastSeq;
        }

        if (live.Count > 0) Pump();
    }

    private void ReadPast()
    {
        var row = world.Database.Row(Session);
        for (; last < row.Seq; last++) client.Show(last + 1, row.Events[(int)last].Span);
    }
}
