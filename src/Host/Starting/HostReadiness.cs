using Coordinator.Ports;

namespace Coordinator.Host.Starting;

/// <summary>Whether everything the host cannot do without has started. It never goes back: what fails later answers for itself.</summary>
internal sealed class HostReadiness : IHostReadiness
{
    private readonly TaskCompletionSource ready = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public bool IsReady => ready.Task.IsCompletedSuccessfully;

    public Task WhenReady => ready.Task;

    public void Set() => ready.TrySetResult();
}
