using Coordinator.Adapters.LocalSandbox.Layout;
using Coordinator.Ports;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Coordinator.Adapters.LocalSandbox;

/// <summary>
/// Gets the machine ready when the host starts, says plainly what is missing, takes up the boxes that an earlier host
/// left, and lets boxes in when the host listens.
/// </summary>
internal sealed partial class LocalSandboxDependency(
    LocalMachineSetup setup,
    UnreadBoxes unread,
    IOptions<LocalSandboxOptions> options,
    ILogger<LocalSandboxDependency> logger) : IHostDependency, IHostedLifecycleService
{
    private volatile LocalMachine? machine;

    public string Name => "sandbox";

    public string Description => machine is { } ready ? ready.Description + unread.Note + NoteOnRoom(ready) : "local boxes";

    public bool IsRequired => true;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var ready = await setup.ReadyAsync(cancellationToken);
        if (!ready.IsIsolated) LogUnisolated();
        var survey = new BoxRecords(ready.Paths).Survey();
        unread.Update(ready.Paths, survey);
        LogTakenUp(ready.Node, survey.Records.Count(new BoxObserver(ready).MayRun), survey.Records.Count + survey.Unread.Count);
        HostSocket.Admit(ready.SocketDirectory, ready.User);
        machine = ready;
    }

    public async ValueTask<string?> CheckAsync(CancellationToken cancellationToken)
    {
        if (machine is not { } ready) return "Local boxes are not ready yet.";
        if (ready.Bubblewrap is not { } features) return null;
        return await setup.WhyNoIsolationAsync(ready.User, features, ready.Paths, cancellationToken) is { } reason ? $"Boxes cannot be isolated: {reason}." : null;
    }

    /// <summary>No reason to be sent nobody: only new boxes need the room, and all else is served, those that run too.</summary>
    private string NoteOnRoom(LocalMachine ready)
    {
        try
        {
            return DiskRoom.WhyNone(ready.Paths, options.Value) is { } full ? $"; no box can be made: {full}" : "";
        }
        catch (Exception failure) when (DiskFailure.Is(failure))
        {
            return $"; the boxes' disk cannot be looked at: {failure.Message}";
        }
    }

    /// <summary>The host listens now: let boxes connect.</summary>
    public async Task StartedAsync(CancellationToken cancellationToken)
    {
        if (machine is null) return;
        var ready = await setup.ReadyAsync(cancellationToken);
        HostSocket.Admit(ready.SocketDirectory, ready.User);
    }

    Task IHostedService.StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    Task IHostedService.StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    Task IHostedLifecycleService.StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    Task IHostedLifecycleService.StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    Task IHostedLifecycleService.StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    [LoggerMessage(5221, LogLevel.Warning, "Boxes run WITHOUT ISOLATION because Sandbox:Local:AllowUnisolated is set: agents can do whatever their user can.")]
    private partial void LogUnisolated();

    [LoggerMessage(5222, LogLevel.Information, "This machine is {Node}; {Running} of {Known} known boxes run.")]
    private partial void LogTakenUp(string node, int running, int known);
}
