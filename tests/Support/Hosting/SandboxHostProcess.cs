using System.Diagnostics;
using System.Globalization;
using Coordinator.Ports;
using Coordinator.Tests.Support.Network;

namespace Coordinator.Tests.Support.Hosting;

/// <summary>
/// A real sandbox host as a process of its own, with real boxes. It can be killed and started again on the same data and
/// port. Disposing it ends it with SIGTERM, demands that no box is left, and removes the data.
/// </summary>
public sealed class SandboxHostProcess : IAsyncDisposable
{
    public const string KeyId = "journey";
    public const string Secret = "a secret of the journey, long enough";

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(40);

    private readonly BuiltPrograms programs = BuiltPrograms.Find();
    private readonly RollingRelease release;
    private readonly ProcessOutput output = new();
    private readonly string name = $"coordinator-boxes-{Convert.ToHexStringLower(PrefixedId.NewValue(TimeProvider.System).ToByteArray(bigEndian: true))[^10..]}";
    private readonly string? agent;
    private readonly string? bubblewrap;
    private Process? process;
    private RunningProcess? running;
    private Task drained = Task.CompletedTask;

    private SandboxHostProcess(string? agent, string? bubblewrap, OlderRelease? older)
    {
        (this.agent, this.bubblewrap, release) = (agent, bubblewrap, new(new(BuiltPrograms.SandboxHost(), programs.Box), older?.SandboxHost));
        DataDirectory = Path.Combine(Path.GetTempPath(), name);
        Url = new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{LoopbackPort.Find()}"));
    }

    public Uri Url { get; }

    /// <summary>Everything it keeps, its boxes' folders included.</summary>
    public string DataDirectory { get; }

    /// <summary>The socket that its boxes dial.</summary>
    public string BoxSocket => Path.Combine(Sockets, "host.sock");

    /// <summary>Everything that it wrote, over all its starts.</summary>
    public string Output => output.Text;

    /// <summary>What makes a host use it, and nothing else.</summary>
    public IReadOnlyDictionary<string, string> HostSettings => new Dictionary<string, string>
    {
        ["Sandbox:Provider"] = "Modal",
        ["Sandbox:Modal:Urls:0"] = Url.GetLeftPart(UriPartial.Authority),
        ["Sandbox:Modal:KeyId"] = KeyId,
        ["Sandbox:Modal:Secret"] = Secret,
    };

    private string Sockets => Path.Combine(DataDirectory, "sock");

    /// <param name="agent">An executable to run in place of OpenCode, under the names of both of its ways; null: OpenCode itself.</param>
    /// <param name="bubblewrap">A program to start boxes by in place of bubblewrap.</param>
    /// <param name="older">Where given, this start is of that release, and each further one of the present release.</param>
    public static async Task<SandboxHostProcess> LaunchAsync(string? agent = null, string? bubblewrap = null, OlderRelease? older = null)
    {
        var host = new SandboxHostProcess(agent, bubblewrap, older);
        Directory.CreateDirectory(host.DataDirectory);
        try
        {
            await host.StartAsync();
            return host;
        }
        catch (Exception)
        {
            await host.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts it, or starts it again on the same data and port, and waits until it serves.</summary>
    public async Task StartAsync()
    {
        if (process is { HasExited: false }) throw new InvalidOperationException("It runs already.");
        var now = release.Start();
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true, WorkingDirectory = DataDirectory };
        string[] arguments =
        [
            now.Program,
            $"--SandboxHost:Urls={Url.GetLeftPart(UriPartial.Authority)}",
            $"--SandboxHost:DataDirectory={DataDirectory}",
            $"--SandboxHost:Keys:{KeyId}={Secret}",
            $"--Sandbox:Local:SocketDirectory={Sockets}",
            $"--Sandbox:Local:BoxProgram={now.Box}",
            $"--Sandbox:Local:Agents:opencode={agent ?? programs.OpenCode}",
            .. bubblewrap is null ? Array.Empty<string>() : [$"--Sandbox:Local:Bubblewrap={bubblewrap}"],
            .. agent is null ? Array.Empty<string>() : [$"--Sandbox:Local:Agents:opencode-acp={agent}"],
        ];
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        start.Environment["DOTNET_TieredPGO"] = "0"; // a process of a test lives for seconds: a quarter of its start is measuring what it would do in hours

        var serving = output.Watch(static line => line.Contains(" serves at ", StringComparison.Ordinal));
        process?.Dispose();
        process = Process.Start(start) ?? throw new InvalidOperationException("The sandbox host did not start.");
        process.StandardInput.Close();
        drained = output.DrainAsync(process);
        var first = await Task.WhenAny(serving, process.WaitForExitAsync(), Task.Delay(Limit, TimeProvider.System));
        if (first != serving) throw new InvalidOperationException($"The sandbox host {(process.HasExited ? $"ended with {process.ExitCode}" : "did not serve in time")}:\n{output.Last(40)}");
        running = new(process, "sandbox host");
    }

    /// <summary>True once one that began as an older release runs as the present one.</summary>
    public bool IsUpgraded => release.IsUpgraded;

    /// <summary>The exit code of one that served and ended by itself.</summary>
    public int? EndedByItself => running?.EndedByItself;

    /// <summary>Kills it at once (SIGKILL); its boxes live on. Returns when its process is gone.</summary>
    /// <exception cref="InvalidOperationException">It had ended by itself.</exception>
    public Task KillAsync() => running!.KillAsync(Limit);

    public async ValueTask DisposeAsync()
    {
        List<string> problems = [];
        if (EndedByItself is { } code) problems.Add(RunningProcess.Said("sandbox host", code));
        else if (process is { HasExited: false })
        {
            using (var signal = Process.Start("/bin/sh", ["-c", string.Create(CultureInfo.InvariantCulture, $"kill -TERM {process.Id}")])) await signal.WaitForExitAsync();
            await Task.WhenAny(process.WaitForExitAsync(), Task.Delay(Limit, TimeProvider.System));
            if (!process.HasExited) process.Kill();
            else if (process.ExitCode != 0) problems.Add($"The sandbox host ended with {process.ExitCode} after SIGTERM.");
        }

        if (LiveProcess.Naming(name) is { Count: > 0 } left)
        {
            problems.Add($"The sandbox host has ended and left boxes that no session has:\n{string.Join('\n', left)}");
            foreach (var one in left) one.Kill();
        }

        await Task.WhenAny(drained, Task.Delay(TimeSpan.FromSeconds(5), TimeProvider.System));
        process?.Dispose();
        if (Directory.Exists(DataDirectory)) Directory.Delete(DataDirectory, recursive: true);
        if (problems.Count > 0) throw new InvalidOperationException($"{string.Join('\n', problems)}\nIt said last:\n{output.Last(30)}");
    }
}
