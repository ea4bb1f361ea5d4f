using System.Diagnostics;
using System.Globalization;

namespace Coordinator.Cli.Journey;

/// <summary>A host on this machine, known by the file that holds its process id, and started by a shell command.</summary>
internal sealed class ProcessHostControl(string pidFile, string startCommand) : IHostControl
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(10);

    /// <summary>
    /// Its end is read from /proc, where a zombie counts as gone: the host is nobody's child here, and waiting for its
    /// process id to vanish would wait for whoever is to collect it, which may be never.
    /// </summary>
    public async Task KillAsync(CancellationToken cancellationToken)
    {
        var pid = await ReadProcessIdAsync(cancellationToken);
        var began = Stopwatch.GetTimestamp();
        if (StartOf(pid) is not { } start) throw new JourneyException($"a running host, process {pid} of {pidFile}", "none");
        Kill(pid);
        while (StartOf(pid) == start)
        {
            if (Stopwatch.GetElapsedTime(began) > Limit) throw new JourneyException($"the end of the host, process {pid}, within {Limit.TotalSeconds:0} s of SIGKILL", "none");
            await Task.Delay(Look, TimeProvider.System, cancellationToken);
        }
    }

    /// <summary>The host leaves this process's session and group at once, so that it neither ends with the journey nor keeps its terminal.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo("setsid");
        foreach (var argument in new[] { "--fork", "/bin/sh", "-c", $"exec >/dev/null 2>&1 </dev/null; {startCommand}" }) start.ArgumentList.Add(argument);
        using var forking = Process.Start(start) ?? throw new JourneyException("the host to start", "no process");
        try
        {
            await forking.WaitForExitAsync(cancellationToken).WaitAsync(Limit, cancellationToken);
        }
        catch (TimeoutException)
        {
            throw new JourneyException($"setsid to start the host within {Limit.TotalSeconds:0} s", "no end of it");
        }

        if (forking.ExitCode != 0) throw new JourneyException("the host to start", $"exit code {forking.ExitCode} of setsid");
    }

    private async Task<int> ReadProcessIdAsync(CancellationToken cancellationToken)
    {
        try
        {
            return int.Parse((await File.ReadAllTextAsync(pidFile, cancellationToken)).Trim(), CultureInfo.InvariantCulture);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException)
        {
            throw new JourneyException($"the host's process id in {pidFile}", e.Message);
        }
    }

    private static void Kill(int pid)
    {
        try
        {
            using var process = Process.GetProcessById(pid);
            process.Kill();
        }
        catch (ArgumentException)
        {
            // It ended by itself in this moment.
        }
    }

    /// <summary>When a live process began, in the kernel's ticks: with the id it names one process for good. Null when it has ended, collected or not.</summary>
    private static string? StartOf(int pid)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{pid.ToString(CultureInfo.InvariantCulture)}/stat");
            var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            return fields[0] is "Z" or "X" ? null : fields[19];
        }
        catch (IOException)
        {
            return null;
        }
    }
}
