using System.ComponentModel;
using System.Diagnostics;
using System.Net.Sockets;

namespace Coordinator.Cli.Doctor;

/// <summary>What this machine has. Nothing is changed.</summary>
internal static class LocalChecks
{
    /// <summary>What a clone has in its root, and puts the agent into it.</summary>
    private const string SetUp = "run.sh";

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
        var binary = SetUpAgent.In(root);
        if (File.Exists(binary)) return ElsewhereAsync(home => VersionAsync("OpenCode", binary, "--version", "Run ./run.sh, which installs it.", cancellationToken, home));
        return Task.FromResult(File.Exists(Path.Combine(root, SetUp))
            ? new Finding("OpenCode", Health.Bad, $"not at {binary}", $"Run ./{SetUp}, which installs it.")
            : new("OpenCode", Health.Warning, $"not looked for: {root} is not what Coordinator was cloned to", "It matters only on a machine that runs boxes from a clone: name that folder with --root. Other hosts have it where Sandbox:Local:Agents says."));
    }

    /// <summary>OpenCode makes folders in the home of whoever asks even for its version.</summary>
    private static async Task<Finding> ElsewhereAsync(Func<string, Task<Finding>> check)
    {
        var home = Directory.CreateTempSubdirectory("coordinator-doctor-");
        try
        {
            return await check(home.FullName);
        }
        finally
        {
            home.Delete(recursive: true);
        }
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

    private static async Task<Finding> VersionAsync(string name, string program, string argument, string advice, CancellationToken cancellationToken, string? home = null)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(TimeSpan.FromSeconds(15));
        var start = new ProcessStartInfo(program, argument) { RedirectStandardOutput = true, RedirectStandardError = true };
        if (home is not null) MakeHome(start, home);
        try
        {
            using var process = Process.Start(start) ?? throw new Win32Exception("did not start");
            return await VersionAsync(name, process, advice, limit.Token);
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

    private static async Task<Finding> VersionAsync(string name, Process process, string advice, CancellationToken cancellationToken)
    {
        try
        {
            var output = await process.StandardOutput.ReadToEndAsync(cancellationToken);
            await process.WaitForExitAsync(cancellationToken);
            return process.ExitCode == 0
                ? new(name, Health.Good, output.Split('\n')[0].Trim())
                : new(name, Health.Bad, $"exit code {process.ExitCode}", advice);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync(CancellationToken.None);
            throw;
        }
    }

    private static void MakeHome(ProcessStartInfo start, string home)
    {
        start.Environment["HOME"] = home;
        foreach (var own in start.Environment.Keys.Where(name => name.StartsWith("XDG_", StringComparison.Ordinal)).ToList()) start.Environment.Remove(own);
    }
}
