using System.ComponentModel;
using System.Diagnostics;
using System.Net.Sockets;

namespace Coordinator.Cli.Doctor;

/// <summary>What this machine has. Nothing is changed.</summary>
internal static class LocalChecks
{
    public static async Task<IReadOnlyList<Finding>> RunAsync(Uri url, string root, CancellationToken cancellationToken) =>
    [
        await VersionAsync(".NET SDK", "dotnet", "--version", "Install the SDK that global.json names: https://dot.net", cancellationToken),
        await VersionAsync("Node.js", "node", "--version", "Install Node.js 20 or later: https://nodejs.org", cancellationToken),
        await VersionAsync("bubblewrap", "bwrap", "--version", "apt-get install bubblewrap", cancellationToken),
        await VersionAsync("git", "git", "--version", "apt-get install git", cancellationToken),
        await VersionAsync("ripgrep", "rg", "--version", "apt-get install ripgrep", cancellationToken),
        await AgentAsync(root, cancellationToken),
        await PortAsync(url, cancellationToken),
    ];

    private static Task<Finding> AgentAsync(string root, CancellationToken cancellationToken)
    {
        var binary = Path.Combine(root, "node_modules", "opencode-linux-x64", "bin", "opencode");
        return File.Exists(binary)
            ? VersionAsync("OpenCode", binary, "--version", "Run ./run.sh, which installs it.", cancellationToken)
            : Task.FromResult(new Finding("OpenCode", Health.Bad, $"not at {binary}", "Run ./run.sh, which installs it."));
    }

    private static async Task<Finding> PortAsync(Uri url, CancellationToken cancellationToken)
    {
        if (!url.IsLoopback) return new("port", Health.Good, $"{url} is on another machine");
        using var socket = new TcpClient();
        try
        {
            await socket.ConnectAsync(url.Host, url.Port, cancellationToken);
            return new("port", Health.Good, $"{url.Port} answers");
        }
        catch (SocketException)
        {
            return new("port", Health.Warning, $"nothing listens on {url.Port}", "Start the host: ./run.sh");
        }
    }

    private static async Task<Finding> VersionAsync(string name, string program, string argument, string advice, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(TimeSpan.FromSeconds(15));
        try
        {
            using var process = Process.Start(new ProcessStartInfo(program, argument) { RedirectStandardOutput = true, RedirectStandardError = true })
                ?? throw new Win32Exception("did not start");
            var output = await process.StandardOutput.ReadToEndAsync(limit.Token);
            await process.WaitForExitAsync(limit.Token);
            return process.ExitCode == 0
                ? new(name, Health.Good, output.Split('\n')[0].Trim())
                : new(name, Health.Bad, $"exit code {process.ExitCode}", advice);
        }
        catch (Win32Exception)
        {
            return new(name, Health.Bad, "not found", advice);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new(name, Health.Bad, "does not answer", advice);
        }
    }
}
