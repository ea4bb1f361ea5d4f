using System.Diagnostics;
using Coordinator.Ports;

namespace Coordinator.Demo.Repository;

/// <summary>Runs git with nothing of this machine's own configuration, as an author that is always the same.</summary>
internal static class DemoGit
{
    private static readonly Dictionary<string, string> Environment = new(StringComparer.Ordinal)
    {
        ["PATH"] = System.Environment.GetEnvironmentVariable("PATH") ?? "/usr/bin:/bin",
        ["HOME"] = "/nonexistent",
        ["LC_ALL"] = "C",
        ["GIT_CONFIG_NOSYSTEM"] = "1",
        ["GIT_CONFIG_GLOBAL"] = "/dev/null",
        ["GIT_TERMINAL_PROMPT"] = "0",
        ["GIT_AUTHOR_NAME"] = "Coordinator",
        ["GIT_AUTHOR_EMAIL"] = "demo@coordinator.dev",
        ["GIT_AUTHOR_DATE"] = "2026-01-01T00:00:00Z",
        ["GIT_COMMITTER_NAME"] = "Coordinator",
        ["GIT_COMMITTER_EMAIL"] = "demo@coordinator.dev",
        ["GIT_COMMITTER_DATE"] = "2026-01-01T00:00:00Z",
    };

    /// <summary>Starts git with its standard streams redirected. The caller disposes, which does not end it.</summary>
    /// <exception cref="PortException"><see cref="PortFailureKind.Rejected"/>: there is no git here.</exception>
    public static Process Start(IEnumerable<string> arguments, string? protocol = null)
    {
        var start = new ProcessStartInfo("git", arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment.Clear();
        foreach (var (name, value) in Environment) start.Environment[name] = value;
        if (protocol is not null) start.Environment["GIT_PROTOCOL"] = protocol;
        try
        {
            return Process.Start(start)!;
        }
        catch (System.ComponentModel.Win32Exception exception)
        {
            throw new PortException(PortFailureKind.Rejected, "The demo repository needs git, which is not installed here.", inner: exception);
        }
    }

    /// <summary>Runs git to its end.</summary>
    public static async Task RunAsync(CancellationToken cancellationToken, params string[] arguments)
    {
        using var process = Start(arguments);
        try
        {
            process.StandardInput.Close();
            var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
            var errors = await process.StandardError.ReadToEndAsync(cancellationToken);
            await output;
            await process.WaitForExitAsync(cancellationToken);
            if (process.ExitCode != 0) throw new PortException(PortFailureKind.Corrupt, $"git {arguments[^1]} ended with {process.ExitCode}: {errors.Trim()}");
        }
        finally
        {
            if (!process.HasExited) process.Kill(entireProcessTree: true);
        }
    }
}
