using System.Globalization;
using System.Runtime.CompilerServices;
using Coordinator.Ports.Compute;

namespace Coordinator.Bench.Serving;

/// <summary>
/// Boxes that live beside all hosts, as those of a sandbox host do: each is announced by the host that asked for it (<c>bench box SANDBOX
/// GENERATION TOKEN</c>), and whichever host asks for it later finds it running.
/// </summary>
internal sealed class OutlivingBoxes : ISandboxProvider
{
    public string Name => "outliving";

    public SandboxCapabilities? Capabilities { get; } = new(KeepsData: true, Snapshots: false, EnforcesMemory: true, EnforcesEgress: true);

    public ValueTask<string?> PlaceAsync(SandboxSpec spec, CancellationToken cancellationToken) => ValueTask.FromResult<string?>(null);

    public async ValueTask<SandboxHandle> CreateAsync(SandboxSpec spec, CancellationToken cancellationToken)
    {
        await Console.Out.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"bench box {spec.Sandbox} {spec.Generation} {spec.BridgeToken}"));
        return new(Name, spec.Sandbox.ToString(), null);
    }

    public ValueTask<SandboxInspection> InspectAsync(SandboxHandle handle, CancellationToken cancellationToken) =>
        ValueTask.FromResult(new SandboxInspection(SandboxStatus.Running, null));

    public async IAsyncEnumerable<SandboxListing> ListAsync(IReadOnlyDictionary<string, string> labels, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await Task.CompletedTask;
        yield break;
    }

    public ValueTask DestroyAsync(SandboxHandle handle, bool keepData, CancellationToken cancellationToken) => ValueTask.CompletedTask;
}
