using System.Diagnostics;
using System.Globalization;
using System.Runtime.Versioning;
using System.Security.Cryptography;
using Coordinator.Adapters.LocalSandbox;
using Coordinator.Adapters.LocalSandbox.Layout;
using Coordinator.Ports.Compute;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Coordinator.Tests.Conformance.SandboxProvider;

/// <summary>
/// Real local boxes in folders of their own. The program in the box is a small shell script that runs the commands it
/// is given through files of the workspace, so that tests can look around from inside.
/// </summary>
[SupportedOSPlatform("linux")]
internal sealed class LocalRig : ISandboxRig
{
    /// <summary>No user of this machine; boxes belong to it when the tests run as root.</summary>
    public const uint Uid = 64_123;

    private const string Program = """
        #!/bin/sh
        # run --config box.json: runs each x.cmd of the workspace and leaves x.out and x.code.
        echo started >>"$HOME/starts"
        while :; do
          [ -e exec.now ] && exec sh ./exec.now
          for file in *.cmd; do
            [ -e "$file" ] || continue
            name=${file%.cmd}
            mv "$file" "$name.run"
            { sh "$name.run" >"$name.out" 2>&1; echo $? >"$name.next"; mv "$name.next" "$name.code"; } &
          done
          sleep 0.02
        done
        """;

    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(30);

    private readonly string root = Path.Combine("/tmp", $"coordinator-test-{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(5))}");
    private readonly Dictionary<string, string?> settings;
    private readonly List<ServiceProvider> hosts = [];
    private int commands;

    public LocalRig(params (string Name, string Value)[] overrides)
    {
        Directory.CreateDirectory(root);
        File.SetUnixFileMode(root, (UnixFileMode)0b111_101_101);
        WriteScript(ProgramPath, Program);
        WriteScript(AgentPath, "#!/bin/sh\nexit 0\n");
        settings = new()
        {
            ["Sandbox:Local:DataDirectory"] = DataDirectory,
            ["Sandbox:Local:SharedDirectory"] = Path.Combine(root, "shared"),
            ["Sandbox:Local:SocketDirectory"] = SocketDirectory,
            ["Sandbox:Local:BoxProgram"] = ProgramPath,
            [$"Sandbox:Local:Agents:{Specs.Agent}"] = AgentPath,
            ["Sandbox:Local:User"] = Uid.ToString(CultureInfo.InvariantCulture),
            ["Sandbox:Local:CgroupName"] = Path.GetFileName(root),
        };
        foreach (var (name, value) in overrides) settings[$"Sandbox:Local:{name}"] = value;
        Start();
    }

    public string Root => root;

    public string DataDirectory => Path.Combine(root, "data");

    public string SocketDirectory => Path.Combine(root, "run");

    public string ProgramPath => Path.Combine(root, "box-program");

    public string AgentPath => Path.Combine(root, "agent");

    /// <summary>What another program needs to offer the same boxes.</summary>
    public IReadOnlyDictionary<string, string?> Settings => settings;

    public IServiceProvider Services => hosts[^1];

    public ISandboxProvider Provider => Services.GetRequiredService<ISandboxProvider>();

    public BoxPaths Paths => Machine().Paths;

    public BoxRecords Records => new(Paths);

    /// <summary>Another host process of the same machine, as after a restart: nothing in memory is carried over.</summary>
    public void Start()
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(settings).Build();
        hosts.Add(new ServiceCollection().AddLogging().AddLocalSandbox(configuration).BuildServiceProvider());
    }

    /// <summary>Another host process with other settings.</summary>
    public void Restart(params (string Name, string Value)[] overrides)
    {
        foreach (var (name, value) in overrides) settings[$"Sandbox:Local:{name}"] = value;
        Start();
    }

    public BoxRecord RecordOf(SandboxSpec spec) => Records.Find(new(spec.Session, spec.Sandbox)) ?? throw new InvalidOperationException("There is no record.");

    /// <summary>Runs a shell command inside the box.</summary>
    public async ValueTask<(int ExitCode, string Output)> RunAsync(SandboxSpec spec, string command)
    {
        var name = $"c{Interlocked.Increment(ref commands)}";
        await WriteAsync(spec, $"{name}.cmd", command);
        var code = await WaitForAsync($"the end of '{command}'", () => ReadAsync(spec, $"{name}.code"));
        return (int.Parse(code, CultureInfo.InvariantCulture), await ReadAsync(spec, $"{name}.out") ?? string.Empty);
    }

    /// <summary>Starts a shell command inside the box and does not wait for it.</summary>
    public ValueTask StartAsync(SandboxSpec spec, string command) => WriteAsync(spec, $"c{Interlocked.Increment(ref commands)}.cmd", command);

    public async ValueTask<int> StartsOfAsync(SandboxSpec spec)
    {
        var starts = Path.Combine(Paths.HomeOf(spec.Session), "starts");
        return await WaitForAsync<string[]>("the start of the program", () => new(File.Exists(starts) && File.ReadAllLines(starts) is { Length: > 0 } lines ? lines : null)) is { } found ? found.Length : 0;
    }

    public async ValueTask EndFromInsideAsync(SandboxSpec spec, int exitCode)
    {
        await ReplaceProgramAsync(spec, string.Create(CultureInfo.InvariantCulture, $"exit {exitCode}"));
        await WaitUntilAsync("the end of the box", () => !new BoxObserver(Machine()).IsRunning(RecordOf(spec)));
    }

    /// <summary>The program of the box becomes this shell script.</summary>
    public ValueTask ReplaceProgramAsync(SandboxSpec spec, string script) => WriteAsync(spec, "exec.now", script);

    public async ValueTask WriteAsync(SandboxSpec spec, string file, string text)
    {
        var path = Path.Combine(Paths.WorkspaceOf(spec.Session), file);
        await File.WriteAllTextAsync($"{path}.part", text);
        File.Move($"{path}.part", path);
    }

    public async ValueTask<string?> ReadAsync(SandboxSpec spec, string file)
    {
        var path = Path.Combine(Paths.WorkspaceOf(spec.Session), file);
        return File.Exists(path) ? await File.ReadAllTextAsync(path) : null;
    }

    public LocalMachine Machine() => Services.GetRequiredService<LocalMachineSetup>().ReadyAsync(CancellationToken.None).AsTask().GetAwaiter().GetResult();

    public static async ValueTask WaitUntilAsync(string what, Func<bool> condition) =>
        await WaitForAsync<object>(what, () => new(condition() ? Bound : null));

    public static async ValueTask<T> WaitForAsync<T>(string what, Func<ValueTask<T?>> look)
        where T : class
    {
        var since = Stopwatch.StartNew();
        while (since.Elapsed < Bound)
        {
            if (await look() is { } found) return found;
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System);
        }

        throw new TimeoutException($"Waited {Bound.TotalSeconds} seconds for {what}.");
    }

    public async ValueTask DisposeAsync()
    {
        var machine = Machine();
        foreach (var record in Records.Survey().Records) await new BoxEnder(machine, TimeProvider.System).EndAsync(record, CancellationToken.None);
        foreach (var host in hosts) await host.DisposeAsync();
        foreach (var hierarchy in Directory.EnumerateDirectories("/sys/fs/cgroup"))
        {
            var group = Path.Combine(hierarchy, Path.GetFileName(root));
            if (Directory.Exists(group)) Directory.Delete(group);
        }

        Directory.Delete(root, recursive: true);
    }

    private static void WriteScript(string path, string text)
    {
        File.WriteAllText(path, text);
        File.SetUnixFileMode(path, (UnixFileMode)0b111_101_101);
    }
}
