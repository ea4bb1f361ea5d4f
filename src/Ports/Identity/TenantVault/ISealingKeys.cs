namespace Coordinator.Ports.Identity;

/// <summary>
/// What the store of sealed secrets knows of master keys, over all organizations: a host asks it at its start whether the key that it
/// has is the one that the secrets are sealed under, before it makes one or serves with another.
/// </summary>
public interface ISealingKeys
{
    /// <summary>How many secrets are sealed under each master key, by the key's id. Waits until the store can be asked.</summary>
    /// <exception cref="PortException">The store failed meanwhile.</exception>
    ValueTask<IReadOnlyDictionary<string, long>> CountSecretsAsync(CancellationToken cancellationToken);
}
