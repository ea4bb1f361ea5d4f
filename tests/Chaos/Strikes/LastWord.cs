using System.Globalization;
using System.Text.Json;
using Coordinator.Tests.Support.Following;

namespace Coordinator.Tests.Chaos.Strikes;

/// <summary>
/// The last word that an agent had said, or was about to say, when its note of it was read: everything of a later one was said afterwards. The
/// host's clock does not tell, since it stamps what a box has kept meanwhile when it comes.
/// </summary>
/// <param name="Prompt">The word that the prompt is known by.</param>
/// <param name="Number">The number that was said of it.</param>
internal sealed record LastWord(string Prompt, int Number)
{
    /// <summary>As the scripted agent notes it; null when the note is just being written.</summary>
    public static LastWord? Parse(string note) =>
        note.Split(' ', StringSplitOptions.TrimEntries) is [{ Length: > 0 } prompt, var number] && int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var said) ? new(prompt, said) : null;

    /// <summary>Whether what was shown is of a later word, in a log that holds it.</summary>
    public bool IsBefore(ShownEvent said, IReadOnlyList<ShownEvent> shown)
    {
        if (said.Type != "agent.text" || shown.FirstOrDefault(IsPrompt)?.MessageId is not { } turn) return false;
        if (said.MessageId == turn) return Text(said).Split(' ', StringSplitOptions.RemoveEmptyEntries) is [.., var number] && int.Parse(number, CultureInfo.InvariantCulture) > Number;
        var turns = shown.Where(e => e.Type == "message.dispatched").Select(e => e.MessageId).ToList();
        return turns.Contains(turn) && turns.IndexOf(said.MessageId) > turns.IndexOf(turn);
    }

    private bool IsPrompt(ShownEvent e) => e.Type == "message.queued" && Text(e).Split(' ').Contains(Prompt);

    private static string Text(ShownEvent e)
    {
        using var data = JsonDocument.Parse(e.Data);
        return data.RootElement.GetProperty("text").GetString()!;
    }
}
