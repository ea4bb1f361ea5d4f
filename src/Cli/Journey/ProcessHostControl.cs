using System.Diagnostics;
using System.Globalization;

namespace Coordinator.Cli.Journey;

/// <summary>A host on this machine, known by the file that holds its process id, and started by a shell command.</summary>
internal sealed class ProcessHostControl(string pidFile, string startCommand) : IHostControl
{
    public async Task KillAsync(CancellationToken cancellationToken)
    {
        var pid = int.Parse((await File.ReadAllTextAsync(pidFile, cancellationToken)).Trim(), CultureInfo.InvariantCulture);
        using var process = Process.GetProcessById(pid);
        process.Kill();
        await process.WaitForExitAsync(cancellationToken);
    }

    public Task StartAsync(CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo("/bin/sh") { RedirectStandardInput = true };
        start.ArgumentList.Add("-c");
        start.ArgumentList.Add($"setsid {startCommand} >/dev/null 2>&1 </dev/null &");
        using var shell = Process.Start(start) ?? throw new JourneyException("the host to start", "no process");
        return shell.WaitForExitAsync(cancellationToken);
    }
}
