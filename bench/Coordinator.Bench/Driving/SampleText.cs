using System.Buffers.Text;
using System.Globalization;

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

/// <summary>A row as large as what most appends write.</summary>
internal static class SampleRecord
{
    public static readonly byte[] Bytes = [.. "{\"facts\":[],\"events\":["u8, .. new byte[180].Select(_ => (byte)' '), .. "]}"u8];
}

/// <summary>An agent that goes on speaking: pieces of one part, each where the last one ended.</summary>
internal sealed class SampleSpeech(int length)
{
    private readonly string[] texts = [.. SampleText.Of(length, 256)];
    private long said;

    /// <summary>The data of its next <c>agent.text</c>.</summary>
    public string Next() => Say(texts[said / length % texts.Length]);

    public string Say(string text)
    {
        var data = string.Create(CultureInfo.InvariantCulture, $$"""{"part":"p1","offset":{{said}},"text":"{{text}}"}""");
        said += text.Length;
        return data;
    }
}
