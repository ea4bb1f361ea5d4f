using System.Diagnostics;
using System.Globalization;

namespace Coordinator.Tests.Support.Hosting;

/// <summary>A program that is to run until its test ends it. One that ended by itself must not pass for one that was ended.</summary>
public sealed class RunningProcess(Process process, string name)
{
    /// <summary>What a shell and .NET say of a process that SIGKILL ended.</summary>
    private const int Killed = 128 + 9;

    private bool isWanted = true;

    /// <summary>The exit code of one that ended by itself.</summary>
    public int? EndedByItself => isWanted && process.HasExited ? process.ExitCode : null;

    /// <summary>Kills it at once (SIGKILL), and returns when it is gone.</summary>
    /// <exception cref="InvalidOperationException">It had ended by itself: nothing was killed.</exception>
    public async Task KillAsync(TimeSpan limit)
    {
        DemandRunning();
        process.Kill();
        await process.WaitForExitAsync().WaitAsync(limit);
        if (process.ExitCode != Killed) DemandRunning();
        isWanted = false;
    }

    /// <exception cref="InvalidOperationException">It has ended by itself.</exception>
    public void DemandRunning()
    {
        if (EndedByItself is { } code) throw new InvalidOperationException(Said(name, code));
    }

    /// <summary>Whatever it does from now on is what its test wanted.</summary>
    public void MayEnd() => isWanted = false;

    public static string Said(string name, int code) => string.Create(CultureInfo.InvariantCulture, $"The {name} had ended by itself with exit code {code}.");
}
