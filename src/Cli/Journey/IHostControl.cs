namespace Coordinator.Cli.Journey;

/// <summary>Power over the host's process, for the check that kills it.</summary>
public interface IHostControl
{
    /// <summary>Kills the host at once (SIGKILL) and returns when its process is gone.</summary>
    Task KillAsync(CancellationToken cancellationToken);

    /// <summary>Starts it again as it was; need not wait until it serves.</summary>
    Task StartAsync(CancellationToken cancellationToken);
}
