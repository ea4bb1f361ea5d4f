using System.Globalization;
using Coordinator.Host.Composition;

namespace Coordinator.Host.Starting;

/// <summary>Keeps the host's process id in <c>host.pid</c> in the data directory while it runs, for scripts and supervisors.</summary>
internal sealed class PidFile(IConfiguration configuration) : IHostedService
{
    private readonly string path = Path.Combine(configuration[HostConfiguration.DataDirectoryKey]!, "host.pid");

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        await File.WriteAllTextAsync(path, Environment.ProcessId.ToString(CultureInfo.InvariantCulture), cancellationToken);
    }

    public Task StopAsync(CancellationToken cancellationToken)
    {
        File.Delete(path);
        return Task.CompletedTask;
    }
}
