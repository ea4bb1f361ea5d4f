using System.ComponentModel;
using System.Diagnostics;
using Coordinator.Ports;
using Coordinator.Ports.Compute;

namespace Coordinator.Adapters.Acp.Connection;

/// <summary>The agent's process: the protocol on its standard input and output, its complaints on the error stream.</summary>
internal sealed class AcpProcess : IAsyncDisposable
{
    private static readonly TimeSpan LastWords = TimeSpan.FromMilliseconds(200);

    private readonly Process process;
    private readonly OutputTail tail = new();
    private readonly TimeSpan stopGrace;
    private readonly TimeProvider time;
    private readonly Task reading;
    private bool disposed;

    private AcpProcess(Process process, TimeSpan stopGrace, TimeProvider time)
    {
        this.process = process;
        this.stopGrace = stopGrace;
        this.time = time;
        Id = process.Id;
        reading = ReadErrorsAsync();
        Exited = WaitForExitAsync();
    }

    public int Id { get; }

    public Stream Input => process.StandardInput.BaseStream;

    public Stream Output => process.StandardOutput.BaseStream;

    /// <summary>Completes, never faults, when the process ends.</summary>
    public Task<AgentExit> Exited { get; }

    public string LastOutput => tail.ToString();

    public static AcpProcess Start(AgentLaunch launch, IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string> environment, TimeSpan stopGrace, TimeProvider time)
    {
        var start = new ProcessStartInfo(launch.Executable, arguments)
        {
            WorkingDirectory = launch.WorkingDirectory,
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment.Clear();
        foreach (var (name, value) in environment) start.Environment[name] = value;
        try
        {
            var process = Process.Start(start) ?? throw new PortException(PortFailureKind.Unavailable, $"'{launch.Executable}' did not start.");
            return new AcpProcess(process, stopGrace, time);
        }
        catch (Win32Exception e)
        {
            throw new PortException(PortFailureKind.Unavailable, $"'{launch.Executable}' could not be started: {e.Message}", inner: e);
        }
    }

    /// <summary>Kills the process and what it started.</summary>
    public void Kill()
    {
        try
        {
            process.Kill(entireProcessTree: true);
        }
        catch (Exception e) when (e is InvalidOperationException or Win32Exception or AggregateException)
        {
            // It has ended by itself, which is what was wanted.
        }
    }

    /// <summary>Closes the agent's input, which most agents end at; kills it when it stays.</summary>
    public async ValueTask DisposeAsync()
    {
        if (disposed) return;
        disposed = true;
        try
        {
            process.StandardInput.Close();
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // It no longer reads.
        }

        if (await Task.WhenAny(Exited, Task.Delay(stopGrace, time)) != Exited)
        {
            Kill();
            await Task.WhenAny(Exited, Task.Delay(stopGrace, time));
        }

        process.Dispose();
    }

    private async Task<AgentExit> WaitForExitAsync()
    {
        await process.WaitForExitAsync();
        // A tool it left running may hold the pipe open: what was written is there, the end of file need not come.
        await Task.WhenAny(reading, Task.Delay(LastWords, time));
        return new AgentExit(process.ExitCode, tail.ToString());
    }

    private async Task ReadErrorsAsync()
    {
        var buffer = new char[1024];
        try
        {
            while (await process.StandardError.ReadAsync(buffer) is > 0 and var count) tail.Append(buffer.AsSpan(0, count));
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            tail.Append($"\n(its output could not be read further: {e.Message})");
        }
    }
}
