using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Coordinator.Ports.Compute.DataPlane;

namespace Coordinator.Adapters.InProcess.Cluster;

/// <summary>
/// Which requests were received, by the second in which they were signed, for as long as one of that second may be fresh. It never
/// fills: what has to be forgotten sooner takes with it all that is as old, which is then refused whether it came before or not.
/// </summary>
internal sealed class PeerNonces(int most)
{
    private readonly Lock gate = new();

    /// <summary>Sixteen bytes for a nonce, whatever its length.</summary>
    private readonly SortedDictionary<long, HashSet<UInt128>> seconds = [];
    private long forgotten = long.MinValue;
    private int count;

    /// <summary>Whether a request of which the time stamp is good comes for the first time; it does so once.</summary>
    public bool IsFirst(long timestamp, string nonce, DateTimeOffset now)
    {
        var hash = BinaryPrimitives.ReadUInt128LittleEndian(SHA256.HashData(Encoding.ASCII.GetBytes(nonce)));
        lock (gate)
        {
            var oldest = (now - RequestSignature.AllowedSkew).ToUnixTimeSeconds();
            while (count > 0 && seconds.First().Key < oldest) ForgetOldest();
            if (timestamp <= forgotten) return false;
            if (!seconds.TryGetValue(timestamp, out var second)) second = seconds[timestamp] = [];
            if (!second.Add(hash)) return false;
            if (++count > most) ForgetOldest();
            return true;
        }
    }

    /// <summary>The mark stays where the clock is set back: nothing comes a second time through what was forgotten.</summary>
    private void ForgetOldest()
    {
        var (oldest, nonces) = seconds.First();
        seconds.Remove(oldest);
        count -= nonces.Count;
        forgotten = oldest;
    }
}
