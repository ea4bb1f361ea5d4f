using System.Buffers.Text;

namespace Coordinator.Bench.Driving;

/// <summary>Text of a given length that the database cannot pack as it packs a repeated letter; the same in every run.</summary>
internal static class SampleText
{
    private const int Seed = 20260102;

    public static IEnumerable<string> Of(int length, int count)
    {
        var random = new Random(Seed);
        var bytes = new byte[length];
        for (var i = 0; i < count; i++)
        {
            random.NextBytes(bytes);
            yield return Base64Url.EncodeToString(bytes)[..length];
        }
    }
}
