using System.ComponentModel;
using System.Diagnostics;
using Coordinator.Ports;

namespace Coordinator.Adapters.LocalSandbox.Linux;

/// <summary>What a short command answered.</summary>
internal sealed record CommandAnswer(int ExitCode, string Output, string Error)
{
    public bool IsSuccess => ExitCode == 0;
}

/// <summary>Runs the system's own small programs (id, useradd, rm, …), each with a bound on its time.</summary>
internal sealed class SystemCommand(TimeProvider time)
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    /// <summary>The program's full path, looked up in PATH and the usual places; null when it is not installed.</summary>
    public static string? Locate(string program)
    {
        if (Path.IsPathRooted(program)) return File.Exists(program) ? program : null;
        var folders = (Environment.GetEnvironmentVariable("PATH") ?? string.Empty).Split(':', StringSplitOptions.RemoveEmptyEntries);
        return folders.Concat(["/usr/sbin", "/usr/bin", "/sbin", "/bin"]).Select(folder => Path.Combine(folder, program)).FirstOrDefault(File.Exists);
    }

    /// <exception cref="PortException"><see cref="PortFailureKind.Unavailable"/>: not installed; <see cref="PortFailureKind.Timeout"/>.</exception>
    public async ValueTask<CommandAnswer> RunAsync(string program, IEnumerable<string> arguments, CancellationToken cancellationToken, TimeSpan? longest = null)
    {
        InheritedDescriptors.KeepFromChildren();
        using var process = Start(program, arguments);
        var bound = longest ?? Limit;
        using var limit = new CancellationTokenSource(bound, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        try
        {
            process.StandardInput.Close();
            var output = process.StandardOutput.ReadToEndAsync(either.Token);
            var error = process.StandardError.ReadToEndAsync(either.Token);
            await process.WaitForExitAsync(either.Token);
            return new(process.ExitCode, (await output).Trim(), (await error).Trim());
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            cancellationToken.ThrowIfCancellationRequested();
            throw new PortException(PortFailureKind.Timeout, $"{program} did not end within {bound.TotalSeconds} seconds.", effectMayHaveHappened: true);
        }
    }

    private static Process Start(string program, IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(Locate(program) ?? program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = "/",
        };
        try
        {
            return Process.Start(start) ?? throw new PortException(PortFailureKind.Unavailable, $"{program} could not be started.");
        }
        catch (Win32Exception e)
        {
            throw new PortException(PortFailureKind.Unavailable, $"{program} could not be started: {e.Message}.", inner: e);
        }
    }
}
