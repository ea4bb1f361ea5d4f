using System.Buffers;
using System.Text;
using Coordinator.Ports.Models.Relaying;
using Xunit;

namespace Coordinator.Tests.Modules.Models;

/// <summary>The frames of a relayed answer, as hosts write them and boxes read them.</summary>
public sealed class RelayedFramesTests
{
    private static readonly byte[] Whole = Write(output =>
    {
        RelayedAnswer.WritePing(output);
        RelayedAnswer.WriteHead(output, new(503, new Dictionary<string, string[]> { ["Content-Type"] = ["text/plain"], ["X-Two"] = ["a", "ö"] }));
        RelayedAnswer.WritePing(output);
        RelayedAnswer.WriteData(output, "abc"u8);
        output.Write("?\0\0\0\u0003new"u8); // a kind of a later release
        RelayedAnswer.WriteData(output, []);
        RelayedAnswer.WriteData(output, Encoding.ASCII.GetBytes(new string('x', 40_000)));
        RelayedAnswer.WriteEnd(output);
    });

    [Fact]
    public async Task An_answer_is_read_the_same_wherever_it_is_cut()
    {
        for (var cut = 1; cut < 200; cut++) await ReadsWholeAsync(Pieces(cut, int.MaxValue));
        await ReadsWholeAsync(Pieces(int.MaxValue));
        await ReadsWholeAsync(Enumerable.Repeat(1, Whole.Length));
        await ReadsWholeAsync(Enumerable.Repeat(7, Whole.Length));
    }

    [Fact]
    public async Task An_answer_without_its_end_is_never_taken_for_a_whole_one()
    {
        for (var kept = 0; kept < Whole.Length; kept += kept is > 200 and < 40_000 ? 997 : 1)
        {
            await Assert.ThrowsAnyAsync<IOException>(() => ReadAsync(Whole[..kept], [int.MaxValue]));
        }
    }

    [Fact]
    public async Task What_is_none_is_refused()
    {
        await Assert.ThrowsAnyAsync<IOException>(() => ReadAsync(Write(output => RelayedAnswer.WriteData(output, "x"u8)), [int.MaxValue]));
        await Assert.ThrowsAnyAsync<IOException>(() => ReadAsync(Write(RelayedAnswer.WriteEnd), [int.MaxValue]));
        await Assert.ThrowsAnyAsync<IOException>(() => ReadAsync([(byte)'h', 0x7F, 0, 0, 0], [int.MaxValue]));
        await Assert.ThrowsAnyAsync<IOException>(() => ReadAsync([(byte)'h', 0xFF, 0xFF, 0xFF, 0xFF], [int.MaxValue]));
        await Assert.ThrowsAnyAsync<IOException>(() => ReadAsync([(byte)'h', 0, 0, 0, 1, (byte)'{'], [int.MaxValue]));
    }

    [Fact]
    public void A_host_that_works_is_never_silent_for_so_long_that_it_is_left() => Assert.True(RelayedAnswer.PingEvery * 2 < RelayedAnswer.LongestSilence);

    private static async Task ReadsWholeAsync(IEnumerable<int> pieces)
    {
        var (head, body) = await ReadAsync(Whole, pieces);
        Assert.Equal(503, head.Status);
        Assert.Equal(["text/plain"], head.Headers["Content-Type"]);
        Assert.Equal(["a", "ö"], head.Headers["X-Two"]);
        Assert.Equal("abc" + new string('x', 40_000), body);
    }

    private static async Task<(RelayedHead Head, string Body)> ReadAsync(byte[] bytes, IEnumerable<int> pieces)
    {
        using var each = pieces.GetEnumerator();
        var at = 0;
        var reader = new RelayedAnswerReader((into, _) =>
        {
            var most = each.MoveNext() ? each.Current : int.MaxValue;
            var length = Math.Min(Math.Min(most, into.Length), bytes.Length - at);
            bytes.AsMemory(at, length).CopyTo(into);
            at += length;
            return new(length);
        });
        var head = await reader.ReadHeadAsync(CancellationToken.None);
        var body = new StringBuilder();
        while (await reader.ReadAsync(CancellationToken.None) is { IsEmpty: false } piece) body.Append(Encoding.ASCII.GetString(piece.Span));
        Assert.True((await reader.ReadAsync(CancellationToken.None)).IsEmpty);
        return (head, body.ToString());
    }

    private static int[] Pieces(params int[] sizes) => sizes;

    private static byte[] Write(Action<IBufferWriter<byte>> write)
    {
        var output = new ArrayBufferWriter<byte>();
        write(output);
        return output.WrittenSpan.ToArray();
    }
}
