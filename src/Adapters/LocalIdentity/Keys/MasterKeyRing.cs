namespace Coordinator.Adapters.LocalIdentity;

/// <summary>The installation's master keys: the present one, which seals and signs, and those it replaced, which only open.</summary>
internal sealed class MasterKeyRing
{
    private readonly Dictionary<string, MasterKey> byId;

    public MasterKeyRing(IReadOnlyList<MasterKey> keys)
    {
        ArgumentOutOfRangeException.ThrowIfZero(keys.Count);
        Current = keys[0];
        All = [.. keys.DistinctBy(key => key.Id)];
        byId = All.ToDictionary(key => key.Id, StringComparer.Ordinal);
    }

    /// <summary>The present one first.</summary>
    public IReadOnlyList<MasterKey> All { get; }

    public MasterKey Current { get; }

    /// <summary>The keys that are configured or in the file; null when the file is not there.</summary>
    /// <exception cref="InvalidOperationException">What is there is no key, or others may read it.</exception>
    public static MasterKeyRing? Read(VaultOptions options)
    {
        if (string.IsNullOrWhiteSpace(options.MasterKey)) return MasterKeyFile.Read(options.KeyFile) is { } keys ? new(keys) : null;
        return new([.. options.PreviousMasterKeys.Prepend(options.MasterKey).Select(text => MasterKey.FromBase64(text) ?? throw new InvalidOperationException("A configured master key is not base64 of 32 bytes."))]);
    }

    public MasterKey? Find(string id) => byId.GetValueOrDefault(id);
}
