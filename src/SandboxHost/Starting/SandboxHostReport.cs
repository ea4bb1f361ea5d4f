using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Coordinator.SandboxHost.Boxes;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Options;

namespace Coordinator.SandboxHost.Starting;

/// <summary>Says at the start what serves what, where, and which keys it takes; never a secret.</summary>
internal sealed partial class SandboxHostReport(
    IServer server,
    ISandboxProvider provider,
    IEnumerable<IHostDependency> dependencies,
    ServedBoxes boxes,
    IOptions<SandboxHostOptions> options,
    ILogger<SandboxHostReport> logger) : IHostedLifecycleService
{
    public async Task StartedAsync(CancellationToken cancellationToken)
    {
        foreach (var dependency in dependencies) LogReady(dependency.Name, dependency.Description);
        var health = await boxes.HealthAsync(cancellationToken);
        LogPort(provider.GetType().Name);
        LogKeys(string.Join(", ", options.Value.Keys.Keys.Order(StringComparer.Ordinal)));
        var addresses = server.Features.Get<IServerAddressesFeature>()?.Addresses ?? [];
        LogServing(health.Node, string.Join(", ", addresses.Where(address => !address.Contains("://unix:", StringComparison.Ordinal))));
    }

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    [LoggerMessage(5401, LogLevel.Information, "{Dependency} is ready ({Description}).")]
    private partial void LogReady(string dependency, string description);

    [LoggerMessage(5402, LogLevel.Information, "Compute: ISandboxProvider = {Adapter}")]
    private partial void LogPort(string adapter);

    [LoggerMessage(5403, LogLevel.Information, "Requests may be signed with: {Keys}.")]
    private partial void LogKeys(string keys);

    [LoggerMessage(5404, LogLevel.Information, "Sandbox host {Node} serves at {Addresses}.")]
    private partial void LogServing(string? node, string addresses);
}
