using Coordinator.Ports;
using Coordinator.Ports.Identity;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Coordinator.Adapters.LocalIdentity;

/// <summary>
/// Reads the master key when the host starts, and not at the first secret. A key file that is damaged, missing its owner's rights or
/// open to others ends the start, with what to do; a disk without room for a new key is waited for. A host whose keys open none of the secrets that its database has waits for the one
/// that does, and makes no new one beside them: so nothing is sealed, signed or ended under a key that is there by mistake.
/// </summary>
internal sealed partial class MasterKeyDependency(MasterKeys keys, IOptions<VaultOptions> options, ISealingKeys? sealing, ILogger<MasterKeyDependency> logger) : IHostDependency
{
    /// <summary>ENOSPC and EDQUOT, which .NET puts into the exception's HResult.</summary>
    private const int NoSpace = 28, QuotaExceeded = 122;

    private string? missing;

    public string Name => "keys";

    public string Description => IsConfigured ? "a configured master key" : "a master key file";

    public bool IsRequired => true;

    private bool IsConfigured => !string.IsNullOrWhiteSpace(options.Value.MasterKey);

    private string Place => IsConfigured ? "the settings Vault:MasterKey and Vault:PreviousMasterKeys" : $"the key file {Path.GetFullPath(options.Value.KeyFile)}";

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        try
        {
            var held = MasterKeyRing.Read(options.Value);
            var used = sealing is null ? new Dictionary<string, long>() : await sealing.CountSecretsAsync(cancellationToken);
            Demand(held, used);
            keys.Take(held ?? Make());
            missing = null;
        }
        catch (IOException full) when (full.HResult is NoSpace or QuotaExceeded)
        {
            throw new PortException(PortFailureKind.Full, $"The disk of the key file {Path.GetFullPath(options.Value.KeyFile)} is full, and no key was made; make room there.", inner: full);
        }
        catch (Exception failure) when (failure is InvalidOperationException or IOException or UnauthorizedAccessException)
        {
            // While the key's return is waited for, it may be seen half copied.
            throw new PortException(missing is null ? PortFailureKind.Rejected : PortFailureKind.Unavailable, failure.Message, inner: failure);
        }
    }

    public ValueTask<string?> CheckAsync(CancellationToken cancellationToken) => new(missing);

    private MasterKeyRing Make()
    {
        var file = options.Value.KeyFile;
        MasterKeyFile.Create(file);
        return MasterKeyRing.Read(options.Value) ?? throw new InvalidOperationException($"The key file {Path.GetFullPath(file)} was there and is gone.");
    }

    /// <summary>Of the secrets that are not given up, the host's keys open some, or there are none.</summary>
    private void Demand(MasterKeyRing? held, IReadOnlyDictionary<string, long> used)
    {
        var unknown = used.Keys.Where(id => held?.Find(id) is null && !options.Value.LostKeys.Contains(id, StringComparer.Ordinal)).Order(StringComparer.Ordinal).ToList();
        if (unknown.Count == 0) return;
        var (ids, secrets) = (string.Join(", ", unknown), unknown.Sum(id => used[id]));
        if (used.Keys.Any(id => held?.Find(id) is not null))
        {
            LogSomeUnreadable(Place, secrets, ids);
            return;
        }

        var given = string.Join(' ', unknown.Select((id, index) => $"Vault:LostKeys:{index}={id}"));
        var reason = $"{(held is null ? $"Missing is {Place}" : $"None of the master keys in {Place} opens a secret")}. The database has secrets ({secrets}) that are sealed under the master key {ids}. "
            + $"{(IsConfigured ? "Set that key and start again." : "Put that key back there, and the host goes on by itself; until then it makes none.")} "
            + $"If it is lost for good, start with {given}: those secrets stay as they are, and each has to be entered again.";
        if (missing != reason) LogMissing(reason);
        missing = reason;
        throw new PortException(PortFailureKind.Unavailable, reason);
    }

    [LoggerMessage(1704, LogLevel.Error, "The host does not serve. {Reason}")]
    private partial void LogMissing(string reason);

    [LoggerMessage(1705, LogLevel.Error, "Not all secrets can be opened: {Place} lacks the master key {KeyIds}, which {Secrets} secrets are sealed under. Put it back below the first, or have those secrets entered again.")]
    private partial void LogSomeUnreadable(string place, long secrets, string keyIds);
}
