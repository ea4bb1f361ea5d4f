using System.ComponentModel;
using System.Diagnostics;

namespace Coordinator.Sandbox.Processes;

/// <summary>A command of the boot: git, or an install. <see cref="Environment"/> is all it gets.</summary>
internal sealed record CommandSpec(string Executable, IReadOnlyList<string> Arguments, string WorkingDirectory, IReadOnlyDictionary<string, string> Environment, TimeSpan Timeout);

/// <summary>How a command ended. <see cref="LastOutput"/> is the end of what it printed.</summary>
internal sealed record CommandEnd(CommandOutcome Outcome, int ExitCode, string LastOutput);

internal enum CommandOutcome
{
    Exited,
    TimedOut,
    Stopped,
    NotFound,
}

/// <summary>
/// Runs one command with its output followed as it comes, in bounded time and memory. Whatever way it ends, nothing of
/// its process tree is left.
/// </summary>
internal sealed class CommandRun(CommandSpec spec, Action<string> output, TimeProvider time)
{
    private const int KeptOutput = 16 * 1024;
    private const int ReadBuffer = 4096;
    private static readonly TimeSpan OutputGrace = TimeSpan.FromSeconds(2);

    private readonly OutputTail tail = new(KeptOutput);

    /// <summary>Runs to the end, to the timeout, or to <paramref name="stop"/>; each is an outcome. Only <paramref name="cancellationToken"/> throws.</summary>
    public async Task<CommandEnd> RunAsync(CancellationToken stop, CancellationToken cancellationToken)
    {
        using var process = new Process { StartInfo = StartInfo() };
        try
        {
            process.Start();
        }
        catch (Win32Exception exception)
        {
            return new(CommandOutcome.NotFound, 127, exception.Message);
        }

        process.StandardInput.Close();
        using var deadline = new CancellationTokenSource(spec.Timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, stop, cancellationToken);
        var reading = Task.WhenAll(FollowAsync(process.StandardOutput), FollowAsync(process.StandardError));
        try
        {
            await process.WaitForExitAsync(either.Token);
            await WaitForOutputAsync(reading, either.Token);
            return new(CommandOutcome.Exited, process.ExitCode, tail.ToString());
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync(CancellationToken.None);
            cancellationToken.ThrowIfCancellationRequested();
            return new(deadline.IsCancellationRequested ? CommandOutcome.TimedOut : CommandOutcome.Stopped, -1, tail.ToString());
        }
    }

    /// <summary>A command may leave a process behind that holds its output open; what it said itself has arrived by then.</summary>
    private async Task WaitForOutputAsync(Task reading, CancellationToken cancellationToken)
    {
        using var grace = new CancellationTokenSource(OutputGrace, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(grace.Token, cancellationToken);
        await reading.WaitAsync(either.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        cancellationToken.ThrowIfCancellationRequested();
    }

    private async Task FollowAsync(StreamReader reader)
    {
        var buffer = new char[ReadBuffer];
        try
        {
            while (await reader.ReadAsync(buffer) is var read and > 0)
            {
                var text = new string(buffer, 0, read);
                tail.Append(text);
                output(text);
            }
        }
        catch (Exception exception) when (exception is IOException or ObjectDisposedException)
        {
            // The pipe went with the process.
            return;
        }
    }

    private ProcessStartInfo StartInfo()
    {
        var info = new ProcessStartInfo(spec.Executable)
        {
            WorkingDirectory = spec.WorkingDirectory,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        foreach (var argument in spec.Arguments) info.ArgumentList.Add(argument);
        info.Environment.Clear();
        foreach (var (name, value) in spec.Environment) info.Environment[name] = value;
        return info;
    }
}
