using System.Runtime.CompilerServices;
using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Coordinator.Tests.Simulation.Hosts;
using Coordinator.Tests.Simulation.World;

namespace Coordinator.Tests.Simulation.Provider;

/// <summary>
/// The provider as one host reaches it. A request that has left arrives whatever becomes of the host, and possibly long
/// after the host gave it up; requests and answers are lost while the way is cut.
/// </summary>
internal sealed class ProviderWire(SimWorld world, SimHost host) : ISandboxProvider
{
    public string Name => "simulated";

    public SandboxCapabilities? Capabilities { get; } = new(KeepsData: true, Snapshots: false, EnforcesMemory: true, EnforcesEgress: true);

    /// <summary>One provider of one place: there is nothing to choose.</summary>
    public ValueTask<string?> PlaceAsync(SandboxSpec spec, CancellationToken cancellationToken) => ValueTask.FromResult<string?>(null);

    public async ValueTask<SandboxHandle> CreateAsync(SandboxSpec spec, CancellationToken cancellationToken) =>
        await AskAsync<SandboxHandle>(answer => world.Provider.Create(spec, answer), cancellationToken);

    public async ValueTask<SandboxInspection> InspectAsync(SandboxHandle handle, CancellationToken cancellationToken) =>
        await AskAsync<SandboxInspection>(answer => answer(new(world.Provider.Inspect(handle))), cancellationToken);

    public async IAsyncEnumerable<SandboxListing> ListAsync(IReadOnlyDictionary<string, string> labels, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var (found, failure) = await AskAsync<(IReadOnlyList<SandboxListing>, PortException?)>(answer => answer(new(world.Provider.List(labels))), cancellationToken);
        foreach (var listing in found) yield return listing;
        if (failure is not null) throw failure;
    }

    public async ValueTask DestroyAsync(SandboxHandle handle, bool keepData, CancellationToken cancellationToken)
    {
        var restores = world.Database.Restores;
        await AskAsync<bool>(answer => answer(world.Provider.Destroy(handle, keepData, restores)), cancellationToken);
    }

    private async Task<T> AskAsync<T>(Action<Action<Served<T>>> serve, CancellationToken cancellationToken)
    {
        var answered = new TaskCompletionSource<T>();
        using var givenUp = cancellationToken.Register(() => answered.TrySetCanceled(cancellationToken));
        world.After(world.Delay(host.Dice), () =>
        {
            if (host.ToProvider.TakesRequests) serve(Answer);
            else if (host.Dice.Percent(50)) host.After(TimeSpan.FromSeconds(1), () => Fail(new(PortFailureKind.Unavailable, "The provider cannot be reached.")));
            else world.Nothing();
        });
        return await answered.Task;

        void Answer(Served<T> served)
        {
            if (served.IsLost) return;
            host.After(world.Delay(host.Dice), () =>
            {
                if (!host.ToProvider.BringsAnswers) world.Nothing();
                else if (served.Failure is { } failure) Fail(failure);
                else answered.TrySetResult(served.Value!);
            });
        }

        void Fail(PortException failure) => answered.TrySetException(failure);
    }
}

/// <summary>What the provider says to one call; or that it says it to nobody.</summary>
internal readonly record struct Served<T>(T? Value, PortException? Failure = null, bool IsLost = false);
