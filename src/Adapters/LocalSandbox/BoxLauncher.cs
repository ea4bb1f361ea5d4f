using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Coordinator.Adapters.LocalSandbox.Launch;
using Coordinator.Adapters.LocalSandbox.Layout;
using Coordinator.Adapters.LocalSandbox.Linux;
using Coordinator.Ports;
using Coordinator.Ports.Compute;

namespace Coordinator.Adapters.LocalSandbox;

/// <summary>
/// Starts a box whose record is written. Each process is recorded before it may start another, so a crash of the host
/// at any step leaves either nothing running or something that its record names.
/// </summary>
internal sealed class BoxLauncher(LocalMachine machine, LocalSandboxOptions options, ProgramStaging staging, TimeProvider time)
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(2);

    /// <summary>Of all processes of the machine, a box's are the first that the kernel should take when memory runs out.</summary>
    private const string KillFirst = "500";

    private readonly BoxRecords records = new(machine.Paths);

    /// <summary>Returns when the box's first process is inside; the record then names it.</summary>
    /// <exception cref="PortException">It could not be started; processes may be left for <see cref="BoxEnder"/> to end.</exception>
    public async ValueTask<BoxRecord> LaunchAsync(BoxRecord record, SandboxSpec spec, CancellationToken cancellationToken)
    {
        var files = machine.Paths.Of(record.Address);
        var command = await PrepareAsync(record, spec, files, cancellationToken);
        machine.Cgroups.Create(record.Sandbox.ToString(), spec.Resources);
        using var process = Start(command, record);
        record = record with { Launcher = Confine(process, record) };
        records.Write(record);
        await GiveWordAsync(process);
        var main = await WaitForMainAsync(process, files);
        record = record with { Main = main };
        records.Write(record);
        return record;
    }

    private async ValueTask<IReadOnlyList<string>> PrepareAsync(BoxRecord record, SandboxSpec spec, BoxFiles files, CancellationToken cancellationToken)
    {
        var program = await staging.StageAsync(options.BoxProgram, machine.User, cancellationToken);
        Dictionary<string, string> agents = new(StringComparer.Ordinal);
        foreach (var (name, path) in options.Agents) agents[name] = await staging.StageAsync(path, machine.User, cancellationToken);
        var (paths, session) = (machine.Paths, record.Session);
        BoxDirectories.MakeData(machine, session);
        HostSocket.Admit(machine.SocketDirectory, machine.User);
        var view = machine.IsIsolated ? BoxView.Isolated : BoxView.Unisolated(paths, record.Address, program, machine.SocketDirectory);
        WriteConfiguration(view, agents, spec, files);
        if (machine.Bubblewrap is not { } features) return LaunchCommand.ForPlain(machine, view, files, record, spec.Resources);
        var mounts = new BoxMounts(program, agents, machine.SocketDirectory, files, paths.WorkspaceOf(session), paths.HomeOf(session));
        var arguments = new BubblewrapArguments(new(paths), features, options).For(mounts);
        return LaunchCommand.ForIsolated(machine, SystemCommand.Locate(options.Bubblewrap)!, arguments, files, record, spec.Resources);
    }

    private void WriteConfiguration(BoxView view, Dictionary<string, string> agents, SandboxSpec spec, BoxFiles files)
    {
        var inside = agents.ToDictionary(agent => agent.Key, agent => machine.IsIsolated ? $"{view.AgentDirectory}/{agent.Key}" : agent.Value);
        var configuration = new BoxConfiguration(
            view.Endpoint, spec.BridgeToken, spec.Sandbox, spec.Generation, view.Workspace, view.Home, view.State, inside, options.AgentStartSeconds, spec.Resources.DiskBytes);
        var bytes = JsonSerializer.SerializeToUtf8Bytes(configuration, BoxConfigurationJson.Default.BoxConfiguration);
        AtomicFile.Write(files.Config, bytes, UnixFileMode.UserRead, file => BoxDirectories.Give(file, machine.User));
    }

    private static Process Start(IReadOnlyList<string> command, BoxRecord record)
    {
        InheritedDescriptors.KeepFromChildren();
        var start = new ProcessStartInfo("setsid", command) { RedirectStandardInput = true, WorkingDirectory = "/" };
        start.Environment.Clear();
        start.Environment[BoxEnvironment.Marker] = record.Sandbox.ToString();
        start.Environment["PATH"] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
        try
        {
            return Process.Start(start) ?? throw new PortException(PortFailureKind.Unavailable, "The box's first process could not be started.");
        }
        catch (Win32Exception e)
        {
            throw new PortException(PortFailureKind.Unavailable, $"The box's first process could not be started: {e.Message}.", inner: e);
        }
    }

    /// <summary>Puts the waiting process under the box's limits and says which process it is.</summary>
    private ProcessIdentity Confine(Process process, BoxRecord record)
    {
        var identity = ProcessTable.Identify(process.Id) ?? throw new PortException(PortFailureKind.Unavailable, "The box's first process ended at once.");
        machine.Cgroups.Add(record.Sandbox.ToString(), process.Id);
        File.WriteAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{process.Id}/oom_score_adj"), KillFirst);
        return identity;
    }

    private static async ValueTask GiveWordAsync(Process process)
    {
        await process.StandardInput.WriteLineAsync("go");
        process.StandardInput.Close();
    }

    /// <summary>From the word on the start is not given up half-way: it succeeds, fails, or takes too long.</summary>
    private async ValueTask<ProcessIdentity?> WaitForMainAsync(Process process, BoxFiles files)
    {
        var since = time.GetTimestamp();
        while (true)
        {
            var hasEnded = process.HasExited;
            if (BoxStatus.Read(files.Status).MainPid is { } pid) return ProcessTable.Identify(pid);
            if (hasEnded) throw new PortException(PortFailureKind.Unavailable, $"The box could not be started: {LastWords(files)}");
            if (time.GetElapsedTime(since) > StartLimit) throw new PortException(PortFailureKind.Timeout, $"The box did not start within {StartLimit.TotalSeconds} seconds.", effectMayHaveHappened: true);
            await Task.Delay(Pause, time, CancellationToken.None);
        }
    }

    private static string LastWords(BoxFiles files) =>
        File.Exists(files.Log) && File.ReadLines(files.Log).LastOrDefault(line => line.Length > 0) is { } line ? line : "it ended without a word.";
}
