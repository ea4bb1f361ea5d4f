using System.Globalization;
using Coordinator.Host.Composition;

namespace Coordinator.Host.Starting;

/// <summary>
/// Keeps the host's process id in <c>host.pid</c> in the data directory while it serves, for scripts and supervisors. It is
/// written once the host listens, so that one which cannot leaves the file of the one that does alone; and later, where the disk is full.
/// </summary>
internal sealed partial class PidFile(IConfiguration configuration, TimeProvider time, ILogger<PidFile> logger) : IHostedLifecycleService, IDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(10);

    private readonly string path = Path.Combine(configuration[HostConfiguration.DataDirectoryKey]!, "host.pid");
    private readonly CancellationTokenSource stopping = new();
    private Task? writing; // null until the host listens

    public Task StartedAsync(CancellationToken cancellationToken)
    {
        writing = TryWrite() ? Task.CompletedTask : WriteWhenThereIsRoomAsync();
        return Task.CompletedTask;
    }

    public async Task StoppedAsync(CancellationToken cancellationToken)
    {
        if (writing is null) return;
        await stopping.CancelAsync();
        await writing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        File.Delete(path);
    }

    public void Dispose() => stopping.Dispose();

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private async Task WriteWhenThereIsRoomAsync()
    {
        do
        {
            LogFull(logger, path, Pause.TotalSeconds);
            await Task.Delay(Pause, time, stopping.Token);
        }
        while (!TryWrite());
    }

    private bool TryWrite()
    {
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllText(path, Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
            return true;
        }
        catch (IOException full) when (FullDisk.Is(full))
        {
            File.Delete(path); // an empty one names no process
            return false;
        }
    }

    [LoggerMessage(EventId = 10, Level = LogLevel.Warning, Message = "{Path} cannot be written, for the disk is full; tried again in {Seconds:F0} s.")]
    private static partial void LogFull(ILogger logger, string path, double seconds);
}
