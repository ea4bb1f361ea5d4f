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

    public static MasterKeyRing Load(VaultOptions options) => new(string.IsNullOrWhiteSpace(options.MasterKey)
        ? MasterKeyFile.ReadOrCreate(options.KeyFile)
        : [.. options.PreviousMasterKeys.Prepend(options.MasterKey).Select(text => MasterKey.FromBase64(text) ?? throw new InvalidOperationException("A configured master key is not base64 of 32 bytes."))]);

    public MasterKey? Find(string id) => byId.GetValueOrDefault(id);
}
