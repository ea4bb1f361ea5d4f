using System.Text;
using Coordinator.Modules.SessionAccess.Sockets;
using Xunit;

namespace Coordinator.Tests.Modules.Protocol;

/// <summary>Well-formed frames with bytes flipped, cut, doubled and replaced, and plain noise; the same for the same seed.</summary>
internal static class Fuzz
{
    public static IEnumerable<byte[]> Mutate(string[] seeds, int count, int seed)
    {
        var random = new Random(seed);
        for (var i = 0; i < count; i++)
        {
            if (i % 10 == 0)
            {
                var noise = new byte[random.Next(0, 200)];
                random.NextBytes(noise);
                yield return noise;
                continue;
            }

            var bytes = Encoding.UTF8.GetBytes(seeds[random.Next(seeds.Length)]).ToList();
            for (var change = random.Next(1, 5); change > 0 && bytes.Count > 0; change--) Change(bytes, random);
            yield return [.. bytes];
        }
    }

    /// <summary>The only two outcomes of reading a frame.</summary>
    public static void ReadsOrRefuses(Func<object> read)
    {
        try
        {
            Assert.NotNull(read());
        }
        catch (FrameException refusal)
        {
            Assert.NotEmpty(refusal.Message);
        }
    }

    private static void Change(List<byte> bytes, Random random)
    {
        var at = random.Next(bytes.Count);
        switch (random.Next(5))
        {
            case 0: bytes[at] = (byte)random.Next(256); break;
            case 1: bytes.RemoveRange(at, Math.Min(bytes.Count - at, random.Next(1, 8))); break;
            case 2: bytes.InsertRange(at, bytes.GetRange(at, Math.Min(bytes.Count - at, random.Next(1, 16)))); break;
            case 3: bytes.Insert(at, "{}[],:\"\\n0-1.e\0"u8[random.Next(15)]); break;
            default: bytes[at] ^= (byte)(1 << random.Next(8)); break;
        }
    }
}
