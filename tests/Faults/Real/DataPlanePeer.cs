using System.Runtime.CompilerServices;
using Coordinator.Adapters.LocalSandbox;
using Coordinator.Fakes;
using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Coordinator.SandboxHost;
using Coordinator.Tests.Support;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;

namespace Coordinator.Tests.Faults.Real;

/// <summary>The real sandbox host program, whose boxes are those of a world: signed requests, its ledger, its answers.</summary>
internal sealed class DataPlanePeer : IAsyncDisposable
{
    public const string KeyId = "disruption";
    public const string Secret = "canary-data-plane-secret-0123456789";

    private readonly string folder = Directory.CreateTempSubdirectory("disrupt-plane-").FullName;
    private WebApplication host = null!;

    public Uri Url { get; private set; } = null!;

    /// <summary>Its clock.</summary>
    public SkewedTime Clock { get; } = new();

    public static async Task<DataPlanePeer> StartAsync(InMemorySandboxProvider boxes, string secret = Secret)
    {
        var peer = new DataPlanePeer();
        peer.host = SandboxHostProgram.Build(
            [
                $"--SandboxHost:DataDirectory={peer.folder}", "--SandboxHost:Urls=http://127.0.0.1:0", $"--SandboxHost:Keys:{KeyId}={secret}",
                "--Sandbox:Local:BoxProgram=/bin/true", $"--Sandbox:Local:Node={LocallyNamedBoxes.Node}", "--Logging:LogLevel:Default=None",
            ],
            services => Replace(services, boxes, peer.Clock));
        await SandboxHostProgram.StartAsync(peer.host, CancellationToken.None);
        peer.Url = new(peer.host.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single(address => !address.Contains("unix:", StringComparison.Ordinal)));
        return peer;
    }

    public async ValueTask DisposeAsync()
    {
        await host.StopAsync();
        await host.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }

    /// <summary>The machine is not asked for anything: what looks after its boxes goes with them.</summary>
    private static void Replace(IServiceCollection services, InMemorySandboxProvider boxes, TimeProvider clock)
    {
        services.RemoveAll<IHostDependency>();
        foreach (var local in services.Where(service => service.ServiceType == typeof(IHostedService) && IsOfMachine(service)).ToList()) services.Remove(local);
        services.AddSingleton(clock);
        services.AddSingleton<ISandboxProvider>(new LocallyNamedBoxes(boxes));
    }

    private static bool IsOfMachine(ServiceDescriptor service) =>
        (service.ImplementationType ?? service.ImplementationFactory?.Method.DeclaringType)?.Assembly == typeof(LocalSandboxOptions).Assembly;
}

/// <summary>Boxes in memory whose handles are made as those of a machine's own: session and sandbox, on its node.</summary>
internal sealed class LocallyNamedBoxes(InMemorySandboxProvider boxes) : ISandboxProvider
{
    public const string Node = "disruption";

    public string Name => boxes.Name;

    public SandboxCapabilities? Capabilities => boxes.Capabilities;

    public ValueTask<string?> PlaceAsync(SandboxSpec spec, CancellationToken cancellationToken) => boxes.PlaceAsync(spec, cancellationToken);

    public async ValueTask<SandboxHandle> CreateAsync(SandboxSpec spec, CancellationToken cancellationToken) => Named(await boxes.CreateAsync(spec, cancellationToken), spec.Session.ToString());

    public ValueTask<SandboxInspection> InspectAsync(SandboxHandle handle, CancellationToken cancellationToken) => boxes.InspectAsync(Plain(handle), cancellationToken);

    public async IAsyncEnumerable<SandboxListing> ListAsync(IReadOnlyDictionary<string, string> labels, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var listing in boxes.ListAsync(labels, cancellationToken)) yield return listing with { Handle = Named(listing.Handle, listing.Labels[SandboxLabels.Session]) };
    }

    public ValueTask DestroyAsync(SandboxHandle handle, bool keepData, CancellationToken cancellationToken) => boxes.DestroyAsync(Plain(handle), keepData, cancellationToken);

    private static SandboxHandle Named(SandboxHandle handle, string session) => handle with { Id = $"{session}/{handle.Id}", Node = Node };

    private static SandboxHandle Plain(SandboxHandle handle) => handle with { Id = handle.Id[(handle.Id.IndexOf('/', StringComparison.Ordinal) + 1)..], Node = null };
}
