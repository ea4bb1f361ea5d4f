using Coordinator.Ports;
using Coordinator.Ports.Session;
using Coordinator.Tests.Simulation.Mutations;
using Coordinator.Tests.Simulation.World;

namespace Coordinator.Tests.Simulation.Hosts;

/// <summary>
/// The slow work of activations. A request that has left reaches its peer whatever becomes of the host, and possibly long
/// after the host gave it up; its answer reaches the activation that asked, if that still lives.
/// </summary>
internal sealed class Effects(SimWorld world)
{
    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(2);

    private readonly HashSet<(int, string)> everStarted = [];

    public void Start(Activation activation, string key, SessionEffect effect)
    {
        world.Audit.EffectStarted(activation.Session, effect);
        if (!everStarted.Add((activation.Session, key)) && world.Mutation == Mutation.LostEffectOnCrash && effect is not SessionEffect.InspectSandbox) return;
        var host = activation.Host;
        var dice = host.Dice;
        var settled = false;
        var restores = world.Database.Restores;
        world.Trace($"host {host.Index} starts {key}");
        if (effect is not SessionEffect.FlushRun) host.Await(host.Boxes.RunAsync(Names.Session(activation.Session), effect, CancellationToken.None), Settle);
        else if (dice.Percent(10)) host.After(world.Delay(dice), () => world.After(world.Delay(dice), Run));
        else world.After(world.Delay(dice), Run);
        host.After(Timeout, () => Settle(Failed("effect_timeout")));

        void Run()
        {
            // A statement does not survive the database it was sent to.
            if (world.Database.Restores != restores || !host.ToDatabase.TakesRequests) return;
            world.History.Flush(activation.Session, ((SessionEffect.FlushRun)effect).Run, Answer);
        }

        void Answer(TimeSpan after, EffectOutcome outcome) => host.After(after + world.Delay(dice), () =>
        {
            if (host.ToDatabase.BringsAnswers) Settle(outcome);
            else world.Nothing();
        });

        void Settle(EffectOutcome outcome)
        {
            if (settled || activation.IsOver)
            {
                world.Nothing();
                return;
            }

            settled = true;
            world.Trace($"{key} of session {activation.Session} settles: {outcome.GetType().Name}");
            activation.Post(new SessionInput.EffectSettled(key, outcome));
        }
    }

    public static EffectOutcome.Failed Failed(string code, bool retryable = true) => new(new(code, "Simulated.", ProblemKind.Unavailable), retryable);
}
