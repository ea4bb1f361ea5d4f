using System.Diagnostics;
using System.Globalization;
using Coordinator.Adapters.Postgres.Embedded;
using Coordinator.Ports;
using Coordinator.Tests.Support.Network;
using Coordinator.Tests.Support.Storage;

namespace Coordinator.Tests.Support.Hosting;

/// <summary>
/// A real host as a process of its own: fresh data in a temporary folder, a free port, embedded PostgreSQL, the demo on,
/// boxes of its own. It can be killed and started again on the same data and port. Disposing it ends the host with
/// SIGTERM, demands that no process of it is left, and removes the data.
/// </summary>
public sealed class HostProcess : IAsyncDisposable
{
    private const string SignInLine = "Sign in: ";
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(90);
    private static readonly TimeSpan EndLimit = TimeSpan.FromSeconds(40);

    private readonly BuiltPrograms programs;
    private readonly ProcessOutput output = new();
    private readonly string name = $"coordinator-test-{Convert.ToHexStringLower(PrefixedId.NewValue(TimeProvider.System).ToByteArray(bigEndian: true))[^10..]}";
    private readonly Dictionary<string, string> settings;
    private readonly long? databaseDisk;
    private readonly RollingRelease release;
    private Process? process;
    private RunningProcess? running;
    private Task drained = Task.CompletedTask;

    private HostProcess(BuiltPrograms programs, IReadOnlyDictionary<string, string> more, bool hasPeers, long? databaseDisk, OlderRelease? older)
    {
        (this.programs, this.databaseDisk, release) = (programs, databaseDisk, new(new(programs.Host, programs.Box), older?.Host));
        DataDirectory = Path.Combine(Path.GetTempPath(), name);
        Url = new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{LoopbackPort.Find()}"));
        settings = Settings();
        if (hasPeers) settings["Cluster:Address"] = Url.GetLeftPart(UriPartial.Authority);
        foreach (var (key, value) in more) settings[key] = value;
    }

    public Uri Url { get; }

    /// <summary>Everything the host keeps, its boxes' folders included. Its last part stands in every path of this host and of no other.</summary>
    public string DataDirectory { get; }

    /// <summary>The socket that its boxes dial.</summary>
    public string BoxSocket => Path.Combine(settings["Sandbox:Local:SocketDirectory"], "host.sock");

    /// <summary>Connects to the host's own database, as the host does, while it runs.</summary>
    public string EmbeddedConnectionString => Embedded.Connection().ConnectionString;

    /// <summary>The same as the database's administrator.</summary>
    public string AdministratorConnectionString => Embedded.Connection(EmbeddedLayout.Administrator).ConnectionString;

    /// <summary>The small disk of the database, as it is seen from here while the host runs.</summary>
    public SmallDisk DatabaseDisk => new(string.Create(CultureInfo.InvariantCulture, $"/proc/{process!.Id}/root{Path.Combine(DataDirectory, "postgres")}"), null);

    /// <summary>The one-time link that the host printed at its last start.</summary>
    public Uri SignInLink { get; private set; } = null!;

    /// <summary>The secret of <see cref="SignInLink"/> (<c>sl_…</c>).</summary>
    public string SignInSecret => SignInLink.Fragment.TrimStart('#');

    /// <summary>Everything that the host wrote, over all its starts.</summary>
    public string Output => output.Text;

    /// <summary>Memory that the running process has resident, in bytes.</summary>
    public long ResidentBytes
    {
        get
        {
            process!.Refresh();
            return process.WorkingSet64;
        }
    }

    /// <summary>Starts a host and waits until it serves. One that has peers tells them where it listens.</summary>
    /// <param name="databaseDisk">Where given, the embedded database has a disk of its own, of so many bytes, which goes with the process.</param>
    /// <param name="older">Where given, this start is of that release, and each further one of the present release.</param>
    public static async Task<HostProcess> LaunchAsync(IReadOnlyDictionary<string, string>? settings = null, bool hasPeers = false, long? databaseDisk = null, OlderRelease? older = null)
    {
        var host = new HostProcess(BuiltPrograms.Find(), settings ?? new Dictionary<string, string>(), hasPeers, databaseDisk, older);
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

    /// <summary>Starts it again on the same data and port, and waits until it serves.</summary>
    public async Task StartAsync()
    {
        if (process is { HasExited: false }) throw new InvalidOperationException("The host runs already.");
        release.Start();
        var start = Start([]);
        var serving = output.Watch(static line => line.StartsWith(SignInLine, StringComparison.Ordinal));
        process?.Dispose();
        process = Process.Start(start) ?? throw new InvalidOperationException("The host did not start.");
        process.StandardInput.Close();
        drained = output.DrainAsync(process);
        var first = await Task.WhenAny(serving, process.WaitForExitAsync(), Task.Delay(StartLimit, TimeProvider.System));
        if (first != serving) throw new InvalidOperationException($"The host {(process.HasExited ? $"ended with {process.ExitCode}" : $"did not serve within {StartLimit.TotalSeconds} s")}:\n{output.Last(40)}");
        running = new(process, "host");
        SignInLink = new Uri((await serving)[SignInLine.Length..].Trim());
    }

    /// <summary>True once a host that began as an older release runs as the present one.</summary>
    public bool IsUpgraded => release.IsUpgraded;

    /// <summary>The exit code of a host that served and ended by itself.</summary>
    public int? EndedByItself => running?.EndedByItself;

    /// <summary>Kills the host at once (SIGKILL); its boxes live on. Returns when its process is gone.</summary>
    /// <exception cref="InvalidOperationException">It had ended by itself.</exception>
    public Task KillAsync() => running!.KillAsync(EndLimit);

    /// <summary>Kills the host's own database at once (SIGKILL of its main process); the host starts it again. False when it does not run in this moment.</summary>
    public bool KillDatabase() => PostgresMainProcess.Kill(Path.Combine(DataDirectory, "postgres", "cluster"));

    /// <summary>Ends the host with SIGTERM; its data stays.</summary>
    public async Task StopAsync()
    {
        List<string> problems = [];
        await EndAsync(problems);
        if (problems.Count > 0) throw new InvalidOperationException(string.Join('\n', problems));
    }

    /// <summary>Runs the host's program with a verb in place of serving, with the host's own settings.</summary>
    public async Task<(int ExitCode, string Said)> DoAsync(params string[] verb)
    {
        using var done = Process.Start(Start(verb)) ?? throw new InvalidOperationException("The host's program did not start.");
        try
        {
            done.StandardInput.Close();
            var said = await Task.WhenAll(done.StandardOutput.ReadToEndAsync(), done.StandardError.ReadToEndAsync()).WaitAsync(StartLimit); // it may start the database
            await done.WaitForExitAsync().WaitAsync(EndLimit);
            return (done.ExitCode, string.Concat(said));
        }
        finally
        {
            if (!done.HasExited) done.Kill(entireProcessTree: true);
        }
    }

    /// <summary>Stops the process as it stands (SIGSTOP): its sockets stay open, and it does nothing until <see cref="ResumeAsync"/>.</summary>
    public Task SuspendAsync()
    {
        running!.DemandRunning();
        return SignalAsync("STOP");
    }

    /// <summary>Lets a suspended process go on.</summary>
    public Task ResumeAsync() => SignalAsync("CONT");

    public async ValueTask DisposeAsync()
    {
        List<string> problems = [];
        if (EndedByItself is { } code) problems.Add(RunningProcess.Said("host", code));
        else if (process is { HasExited: false }) await EndAsync(problems);
        await RemoveProcessesAsync(problems);
        if (!drained.IsCompleted) await Task.WhenAny(drained, Task.Delay(TimeSpan.FromSeconds(5), TimeProvider.System));
        process?.Dispose();
        if (Directory.Exists(DataDirectory)) Directory.Delete(DataDirectory, recursive: true);
        if (problems.Count > 0) throw new InvalidOperationException($"{string.Join('\n', problems)}\nThe host said last:\n{output.Last(30)}");
    }

    private EmbeddedLayout Embedded => EmbeddedLayout.For(new() { DataDirectory = Path.Combine(DataDirectory, "postgres"), RuntimeDirectory = settings["Database:Embedded:RuntimeDirectory"] });

    private ProcessStartInfo Start(string[] verb)
    {
        string[] command = [.. databaseDisk is { } size ? SmallDisk.Before(Path.Combine(DataDirectory, "postgres"), size) : [], "dotnet", release.Current.Program, .. verb];
        var start = new ProcessStartInfo(command[0], command[1..]) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true, WorkingDirectory = DataDirectory };
        start.ArgumentList.Add($"--Sandbox:Local:BoxProgram={release.Current.Box}");
        foreach (var (key, value) in settings) start.ArgumentList.Add($"--{key}={value}");
        foreach (var variable in new[] { "ASPNETCORE_URLS", "URLS", "Urls", "DataDirectory" }) start.Environment.Remove(variable);
        return start;
    }

    private async Task EndAsync(List<string> problems)
    {
        running?.DemandRunning();
        running?.MayEnd();
        await ResumeAsync(); // one that a test left suspended would not hear of its end
        try
        {
            if (await TerminateAsync() is not 0 and var code) problems.Add($"The host ended with {code} after SIGTERM.");
        }
        catch (TimeoutException)
        {
            problems.Add($"The host did not end within {EndLimit.TotalSeconds} s after SIGTERM.");
            process!.Kill();
            await process.WaitForExitAsync().WaitAsync(EndLimit);
        }
    }

    private async Task<int> TerminateAsync()
    {
        await SignalAsync("TERM");
        await process!.WaitForExitAsync().WaitAsync(EndLimit);
        return process.ExitCode;
    }

    private async Task SignalAsync(string name)
    {
        using var signal = Process.Start("/bin/sh", ["-c", string.Create(CultureInfo.InvariantCulture, $"kill -{name} {process!.Id}")]);
        await signal.WaitForExitAsync();
    }

    /// <summary>The database ends itself when its host has; a box whose session was not archived lives on by design, and must not in a test.</summary>
    private async Task RemoveProcessesAsync(List<string> problems)
    {
        var began = TimeProvider.System.GetTimestamp();
        var left = LiveProcess.Naming(name);
        while (left.Count > 0 && TimeProvider.System.GetElapsedTime(began) < TimeSpan.FromSeconds(10))
        {
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System);
            left = LiveProcess.Naming(name);
        }

        if (left.Count == 0) return;
        problems.Add($"The host has ended and left processes:\n{string.Join('\n', left)}");
        foreach (var one in left) one.Kill();
        while (LiveProcess.Naming(name) is { Count: > 0 } && TimeProvider.System.GetElapsedTime(began) < EndLimit) await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System);
    }

    private Dictionary<string, string> Settings() => new(StringComparer.OrdinalIgnoreCase)
    {
        ["Urls"] = Url.GetLeftPart(UriPartial.Authority),
        ["DataDirectory"] = DataDirectory,
        ["Database:Embedded:RuntimeDirectory"] = Path.Combine(DataDirectory, "db"),
        ["Sandbox:Local:SocketDirectory"] = Path.Combine(DataDirectory, "sock"),
        ["Sandbox:Local:Agents:opencode"] = programs.OpenCode,
        ["Sandbox:Deployment"] = name,
        ["Demo:Enabled"] = "true",
        ["Web:Root"] = programs.Web,
    };
}
