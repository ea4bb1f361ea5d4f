using System.Diagnostics;

namespace Coordinator.Adapters.Postgres.Embedded;

/// <summary>A program run to its end for its exit code and output, in an environment of its own: the host's holds secrets.</summary>
internal static class ShortCommand
{
    /// <summary>Where system programs are, also when the host was started with a bare environment.</summary>
    public const string SearchPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

    /// <summary>A start of <paramref name="command"/> as <paramref name="user"/> (null: as this process) with nothing inherited.</summary>
    public static ProcessStartInfo Describe(DatabaseUser? user, IEnumerable<string> command)
    {
        var arguments = user is null ? command : user.Prefix.Concat(command);
        var words = arguments.ToList();
        var start = new ProcessStartInfo(words[0]) { UseShellExecute = false, WorkingDirectory = "/" };
        foreach (var word in words.Skip(1)) start.ArgumentList.Add(word);
        start.Environment.Clear();
        start.Environment["PATH"] = SearchPath;
        start.Environment["LC_ALL"] = "C";
        start.Environment["TZ"] = "UTC";
        return start;
    }

    /// <summary>Runs it; null when there is no such program. Killed, with a <see cref="TimeoutException"/>, after <paramref name="timeout"/>.</summary>
    public static async Task<CommandOutcome?> RunAsync(DatabaseUser? user, IEnumerable<string> command, TimeSpan timeout, TimeProvider time, CancellationToken cancellationToken)
    {
        var start = Describe(user, command);
        (start.RedirectStandardInput, start.RedirectStandardOutput, start.RedirectStandardError) = (true, true, true);
        using var process = TryStart(start);
        if (process is null) return null;

        process.StandardInput.Close();
        using var limit = new CancellationTokenSource(timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(either.Token);
            var error = process.StandardError.ReadToEndAsync(either.Token);
            await process.WaitForExitAsync(either.Token);
            return new(process.ExitCode, (await output).Trim(), (await error).Trim());
        }
        catch (OperationCanceledException) when (!process.HasExited)
        {
            process.Kill(entireProcessTree: true);
            cancellationToken.ThrowIfCancellationRequested();
            throw new TimeoutException($"{start.FileName} did not end within {timeout.TotalSeconds:F0} s.");
        }
    }

    private static Process? TryStart(ProcessStartInfo start)
    {
        try
        {
            return Process.Start(start);
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return null; // no such program, or not ours to run; the caller says what that means
        }
    }
}

internal sealed record CommandOutcome(int ExitCode, string Output, string Error);
