namespace Coordinator.Tests.Simulation.World;

/// <summary>
/// Keeps what is asynchronous in production on the world's one thread and schedule, so that a run with awaits in it is the
/// same step by step too. Not a step of its own: it goes on with one that was made.
/// </summary>
internal sealed class WorldContext(SimWorld world) : SynchronizationContext
{
    public override void Post(SendOrPostCallback d, object? state) => world.After(TimeSpan.Zero, () =>
    {
        world.Nothing();
        d(state);
    });

    public override void Send(SendOrPostCallback d, object? state) => d(state);

    public override SynchronizationContext CreateCopy() => this;
}
