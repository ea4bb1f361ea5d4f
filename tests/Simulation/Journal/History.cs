using Coordinator.Ports.Record;
using Coordinator.Ports.Session;
using Coordinator.Tests.Simulation.Hosts;
using Coordinator.Tests.Simulation.World;

namespace Coordinator.Tests.Simulation.Journal;

/// <summary>The run history behind the flush effect.</summary>
internal sealed class History(SimWorld world)
{
    private static readonly TimeSpan Never = TimeSpan.FromMinutes(3);

    private TimeSpan lostAt;

    public TimeSpan DownUntil { get; set; }

    public int AnswersToLose { get; set; }

    /// <summary>When it last was, or will be, down or kept an answer to itself.</summary>
    public TimeSpan TroubleAt => DownUntil > lostAt ? DownUntil : lostAt;

    public void Heal()
    {
        AnswersToLose = 0;
        if (DownUntil > world.Now) DownUntil = world.Now;
    }

    public void Flush(int session, RunRecord run, Action<TimeSpan, EffectOutcome> answer)
    {
        if (world.Now < DownUntil || world.Database.IsDown)
        {
            answer(TimeSpan.Zero, Effects.Failed("run_history_unavailable"));
            return;
        }

        var kept = world.Database.Keep(session, run);
        if (AnswersToLose > 0)
        {
            AnswersToLose--;
            lostAt = world.Now;
            answer(Never, new EffectOutcome.Succeeded());
        }
        else
        {
            answer(TimeSpan.Zero, kept ? new EffectOutcome.Succeeded() : Effects.Failed("run_rejected", retryable: false));
        }
    }
}
