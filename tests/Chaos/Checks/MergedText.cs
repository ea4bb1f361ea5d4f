using System.Text;
using System.Text.Json;
using Coordinator.Tests.Support.Following;

namespace Coordinator.Tests.Chaos.Checks;

/// <summary>
/// Holds a merged event against the pieces that were shown before there was one: it must be of all of them and of nothing else, begin when and where
/// the first did, and say what they said one after another. Only where a piece ended and when it came may be forgotten.
/// </summary>
internal static class MergedText
{
    public static bool Is(ShownEvent whole, IReadOnlyDictionary<long, ShownEvent> shown)
    {
        if (whole.Type is not ("agent.text" or "agent.reasoning") || Piece.Of(whole) is not { } said) return false;
        var text = new StringBuilder();
        for (var seq = whole.From!.Value; seq <= whole.Seq; seq++)
        {
            if (!shown.TryGetValue(seq, out var one) || one.From is not null || (one.Type, one.MessageId) != (whole.Type, whole.MessageId)) return false;
            if (seq == whole.From && one.At != whole.At) return false;
            if (Piece.Of(one) is not { } piece || piece.Part != said.Part || piece.Offset != said.Offset + text.Length) return false;
            text.Append(piece.Text);
        }

        return whole.From < whole.Seq && said.Text == text.ToString();
    }

    private sealed record Piece(string Part, int Offset, string Text)
    {
        /// <summary>Null for what has more to say than can be merged.</summary>
        public static Piece? Of(ShownEvent e)
        {
            using var json = JsonDocument.Parse(e.Data);
            var data = json.RootElement;
            return data.EnumerateObject().Count() != 3 ? null : new(data.GetProperty("part").GetString()!, data.GetProperty("offset").GetInt32(), data.GetProperty("text").GetString()!);
        }
    }
}
