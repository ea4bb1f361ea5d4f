using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text.RegularExpressions;
using Coordinator.Adapters.OpenCode.Launch;
using Coordinator.Ports;
using Coordinator.Ports.Compute;

namespace Coordinator.Adapters.OpenCode.Server;

/// <summary>
/// One <c>opencode serve</c> process and the way to call it. It listens on loopback, on a port of its own choice,
/// behind a password made for this start.
/// </summary>
internal sealed partial class OpenCodeServer : IAsyncDisposable
{
    /// <summary>A call sent between the port's opening and the server's readiness is never answered: so each try is short.</summary>
    private static readonly TimeSpan ProbeTimeout = TimeSpan.FromSeconds(1.5);

    private readonly Process process;
    private readonly OutputTail tail = new();
    private readonly TaskCompletionSource<Uri> listening = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource guarded = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TimeProvider time;
    private readonly OpenCodeOptions options;
    private readonly Task reading;
    private OpenCodeApi? api;

    private OpenCodeServer(Process process, OpenCodeOptions options, TimeProvider time)
    {
        this.process = process;
        this.options = options;
        this.time = time;
        ProcessId = process.Id;
        reading = Task.WhenAll(ReadAsync(process.StandardOutput), ReadAsync(process.StandardError));
        Exited = WaitForExitAsync();
    }

    public int ProcessId { get; }

    /// <summary>Completes, never faults, when the process ends.</summary>
    public Task<AgentExit> Exited { get; }

    public OpenCodeApi Api => api ?? throw new InvalidOperationException("The server is not ready.");

    public string Version { get; private set; } = "";

    /// <summary>Starts the process and waits until it answers. On failure it has been killed.</summary>
    public static async Task<OpenCodeServer> StartAsync(AgentLaunch launch, IReadOnlyList<AgentModel> models, OpenCodeOptions options, TimeProvider time, CancellationToken cancellationToken)
    {
        var password = Convert.ToHexString(RandomNumberGenerator.GetBytes(24));
        OpenCodeHome.Seed(launch);
        var server = new OpenCodeServer(Spawn(launch, OpenCodeEnvironment.Build(launch, models, password)), options, time);
        try
        {
            await server.BecomeReadyAsync(password, launch.StartTimeout, cancellationToken);
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
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

    public async ValueTask DisposeAsync()
    {
        if (!Exited.IsCompleted)
        {
            Kill();
            await Task.WhenAny(Exited, Task.Delay(options.StopGrace, time));
        }

        api?.Dispose();
        process.Dispose();
    }

    private static Process Spawn(AgentLaunch launch, IReadOnlyDictionary<string, string> environment)
    {
        var start = new ProcessStartInfo(launch.Executable, ["serve", "--hostname", "127.0.0.1", "--port", "0"])
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
            process.StandardInput.Close();
            return process;
        }
        catch (Win32Exception e)
        {
            throw new PortException(PortFailureKind.Unavailable, $"'{launch.Executable}' could not be started: {e.Message}", inner: e);
        }
    }

    private async Task BecomeReadyAsync(string password, TimeSpan within, CancellationToken cancellationToken)
    {
        using var late = new CancellationTokenSource(within, time);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancellationToken);
        try
        {
            await Task.WhenAny(listening.Task, Exited).WaitAsync(stop.Token);
            if (!listening.Task.IsCompletedSuccessfully) throw Ended(await Exited);
            api = new OpenCodeApi(await listening.Task, password, options.CallTimeout, time);
            while (true)
            {
                if (await api.TryHealthAsync(ProbeTimeout, stop.Token) is { } version)
                {
                    Version = version;
                    break;
                }

                if (Exited.IsCompleted) throw Ended(await Exited);
                await Task.Delay(options.RecheckInterval, time, stop.Token);
            }

            await BeGuardedAsync(api, stop.Token);
        }
        catch (OperationCanceledException) when (late.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new PortException(PortFailureKind.Timeout, string.Create(CultureInfo.InvariantCulture, $"OpenCode was not ready within {within.TotalSeconds:0.#} s. Its last output: {tail}"));
        }
    }

    /// <summary>The guard comes with the workspace, which the server otherwise opens at the first prompt. Without it nothing is prompted.</summary>
    private async Task BeGuardedAsync(OpenCodeApi api, CancellationToken cancellationToken)
    {
        try
        {
            await api.OpenWorkspaceAsync(cancellationToken);
        }
        catch (OpenCodeCallException e)
        {
            if (Exited.IsCompleted) throw Ended(await Exited);
            throw new PortException(PortFailureKind.Unavailable, $"OpenCode could not open the workspace: {e.Message}", inner: e);
        }

        await Task.WhenAny(guarded.Task, Exited).WaitAsync(cancellationToken);
        if (!guarded.Task.IsCompletedSuccessfully) throw Ended(await Exited);
    }

    private static PortException Ended(AgentExit exit) =>
        new(PortFailureKind.Unavailable, string.Create(CultureInfo.InvariantCulture, $"OpenCode ended with exit code {exit.ExitCode} while starting. Its last output: {exit.LastOutput}"));

    private async Task<AgentExit> WaitForExitAsync()
    {
        await process.WaitForExitAsync();
        // A tool it left running may hold the pipes open: what was written is there, the end of file need not come.
        await Task.WhenAny(reading, Task.Delay(options.RecheckInterval, time));
        return new AgentExit(process.ExitCode, tail.ToString());
    }

    private async Task ReadAsync(StreamReader reader)
    {
        var buffer = new char[1024];
        try
        {
            while (await reader.ReadAsync(buffer) is > 0 and var count)
            {
                tail.Append(buffer.AsSpan(0, count));
                if (!listening.Task.IsCompleted && ListeningLine().Match(tail.Text) is { Success: true } line)
                {
                    listening.TrySetResult(new Uri(line.Groups[1].Value));
                }

                if (!guarded.Task.IsCompleted && tail.Text.Contains(OpenCodeGuard.Word, StringComparison.Ordinal)) guarded.TrySetResult();
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            tail.Append($"\n(its output could not be read further: {e.Message})");
        }
    }

    [GeneratedRegex(@"server listening on (http://[0-9.]+:[0-9]+)\s")]
    private static partial Regex ListeningLine();
}
