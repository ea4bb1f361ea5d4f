namespace Coordinator.Adapters.LocalIdentity;

/// <summary>
/// Where the master key comes from; section <c>Vault</c>. Every host of one installation needs the same. Losing it
/// loses every stored model key and git token.
/// </summary>
public sealed class VaultOptions
{
    /// <summary>Name of the configuration section.</summary>
    public const string Section = "Vault";

    /// <summary>
    /// The master key: base64 of 32 random bytes (<c>openssl rand -base64 32</c>). Empty: the key is in
    /// <see cref="KeyFile"/>.
    /// </summary>
    public string? MasterKey { get; set; }

    /// <summary>Keys that <see cref="MasterKey"/> replaced, same form: they open what they sealed and seal nothing new. Boxes that were started under one live on until it is taken away here, which ends them and interrupts their turns.</summary>
    public IList<string> PreviousMasterKeys { get; } = [];

    /// <summary>
    /// The file of the master key when none is configured: one key per line, the present one first, the replaced ones
    /// below. Made with a new key when it is not there, unless its folder is not there either or the database has secrets that another
    /// key sealed. Default <c>./data/master.key</c>.
    /// </summary>
    public string KeyFile { get; set; } = "./data/master.key";

    /// <summary>
    /// Ids of master keys that are lost for good, as a host names them that waits for one: it serves without, under another, and what they sealed
    /// stays as it is until it is entered again.
    /// </summary>
    public IList<string> LostKeys { get; } = [];
}
