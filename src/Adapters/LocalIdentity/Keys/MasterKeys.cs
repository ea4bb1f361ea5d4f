using Coordinator.Ports;
using Microsoft.Extensions.Options;

namespace Coordinator.Adapters.LocalIdentity;

/// <summary>The keys that the host works with. Taken when its start has found them to be those of its database; until then what is configured or lies in the file, and never a new one.</summary>
internal sealed class MasterKeys(IOptions<VaultOptions> options)
{
    private MasterKeyRing? ring;

    /// <exception cref="PortException">There is none yet.</exception>
    public MasterKeyRing Ring => Volatile.Read(ref ring) ?? First();

    public void Take(MasterKeyRing found) => Volatile.Write(ref ring, found);

    private MasterKeyRing First()
    {
        var found = MasterKeyRing.Read(options.Value) ?? throw new PortException(PortFailureKind.Unavailable, "There is no master key yet: the host is starting.");
        return Interlocked.CompareExchange(ref ring, found, null) ?? found;
    }
}
