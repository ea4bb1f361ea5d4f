using Coordinator.Ports;

namespace Coordinator.Adapters.LocalIdentity;

/// <summary>
/// Reads the master key when the host starts, and not at the first secret: a key file that is damaged, missing its
/// owner's rights or open to others ends the start, with what to do.
/// </summary>
internal sealed class MasterKeyDependency(Func<MasterKeyRing> load, string description) : IHostDependency
{
    public string Name => "keys";

    public string Description => description;

    public bool IsRequired => true;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        try
        {
            load();
            return Task.CompletedTask;
        }
        catch (Exception failure) when (failure is InvalidOperationException or IOException or UnauthorizedAccessException)
        {
            throw new PortException(PortFailureKind.Rejected, failure.Message, inner: failure);
        }
    }

    public ValueTask<string?> CheckAsync(CancellationToken cancellationToken) => new((string?)null);
}
