using System.Globalization;
using System.Text;
using System.Text.Json;
using Coordinator.Tests.Support.Following;

namespace Coordinator.Tests.Chaos.Checks;

/// <summary>
/// Whether every message was taken once, run at most once, told whole and ended once; whether they ran one at a time in the
/// order of the queue; and whether the history has one run for each that was dispatched.
/// </summary>
internal sealed class TurnCheck(SessionEvidence session)
{
    private readonly List<Finding> found = [];
    private readonly Dictionary<string, string> words = new(StringComparer.Ordinal);

    public static IReadOnlyList<Finding> Of(SessionEvidence session)
    {
        var check = new TurnCheck(session);
        foreach (var message in session.Journal.Where(e => e.MessageId is not null && e.Type.StartsWith("message.", StringComparison.Ordinal)).GroupBy(e => e.MessageId!)) check.Message(message.Key, [.. message], check.TextOf(message.Key));
        foreach (var asked in session.Asked) check.Question(asked);
        check.Order();
        check.History();
        return check.found;
    }

    private void Message(string message, IReadOnlyList<ShownEvent> life, string said)
    {
        words[message] = said;
        if (session.Asked.FirstOrDefault(asked => asked.Message == message) is { } question && !Whole(question).StartsWith(said, StringComparison.Ordinal)) Add(FindingKind.Missing, $"{message} says '{said}'");
        int Of(string type) => life.Count(e => e.Type == type);
        if (Of("message.queued") != 1) Add(Of("message.queued") == 0 ? FindingKind.Missing : FindingKind.Duplicate, $"{message} was queued {Of("message.queued")} times");
        if (Of("message.dispatched") > 1 || Of("message.started") > 1) Add(FindingKind.DoubleTurn, $"{message} was dispatched {Of("message.dispatched")} times and started {Of("message.started")} times");
        var ends = life.Where(e => e.IsEnd).ToList();
        if (ends.Count == 0) Add(FindingKind.Stuck, $"{message} has no end; its last event is {life[^1].Type}");
        if (ends.Count > 1) Add(FindingKind.Duplicate, $"{message} has {ends.Count} ends: {string.Join(", ", ends.Select(e => e.Type))}");
        if (ends.Count == 1 && session.Journal.LastOrDefault(e => e.MessageId == message && e.Type == "agent.text") is { } last && last.Seq > ends[0].Seq) Add(FindingKind.Reordered, $"{message} said something after its end");
    }

    private void Question(Asked asked)
    {
        var messages = session.Journal.Where(e => e.Type == "message.queued" && Words(e.Data, "text").Contains(asked.Word)).Select(e => e.MessageId!).ToList();
        var runs = session.PromptsRun.Count(line => line.Split(' ').Contains(asked.Word));
        if (messages.Count > 1) Add(FindingKind.DoubleTurn, $"'{asked.Word}' was asked once and is {messages.Count} messages");
        if (runs > 1) Add(FindingKind.DoubleTurn, $"the agent was given '{asked.Word}' {runs} times");
        if (asked.Message is { } accepted && !messages.Contains(accepted)) Add(FindingKind.Missing, $"{accepted} was accepted and is not in the journal");
        if (messages.Count != 1 || !session.Journal.Any(e => e.MessageId == messages[0] && e.Type == "message.completed")) return;
        if (runs == 0) Add(FindingKind.Untrue, $"{messages[0]} is said to be completed, and the agent was never given it");
        if (words[messages[0]] is var text && text != Whole(asked)) Add(FindingKind.Missing, $"{messages[0]} is completed and says '{text}', not '{Whole(asked)}'");
    }

    private static string Whole(Asked asked) => string.Concat(Enumerable.Range(1, asked.Count).Select(number => string.Create(CultureInfo.InvariantCulture, $"{number} ")));

    /// <summary>One at a time, and none before one that was queued earlier.</summary>
    private void Order()
    {
        List<string> queue = [];
        string? running = null;
        foreach (var e in session.Journal)
        {
            switch (e)
            {
                case { Type: "message.queued" }:
                    queue.Add(e.MessageId!);
                    break;
                case { Type: "message.dispatched" }:
                    if (running is not null) Add(FindingKind.Reordered, $"{e.MessageId} was dispatched while {running} ran");
                    if (queue.FirstOrDefault() != e.MessageId) Add(FindingKind.Reordered, $"{e.MessageId} was dispatched before {queue.FirstOrDefault()}");
                    running = e.MessageId;
                    break;
                case { IsEnd: true }:
                    queue.Remove(e.MessageId!);
                    if (running == e.MessageId) running = null;
                    break;
            }
        }
    }

    private void History()
    {
        var dispatched = session.Journal.Where(e => e.Type == "message.dispatched").GroupBy(e => e.MessageId!).ToDictionary(same => same.Key, same => same.First().Seq);
        foreach (var (message, seq) in dispatched)
        {
            var runs = session.Runs.Where(run => run.Message == message).ToList();
            if (runs.Count != 1) Add(runs.Count == 0 ? FindingKind.Missing : FindingKind.Duplicate, $"{message} was dispatched and has {runs.Count} runs in the history");
            else if (session.Journal.FirstOrDefault(e => e.MessageId == message && e.IsEnd) is { } end && (runs[0].FirstSeq > seq || runs[0].LastSeq != end.Seq))
                Add(FindingKind.Untrue, $"the run of {message} spans {runs[0].FirstSeq} to {runs[0].LastSeq}, and the message {seq} to {end.Seq}");
        }

        foreach (var run in session.Runs.Where(run => !dispatched.ContainsKey(run.Message))) Add(FindingKind.Untrue, $"the history has a run of {run.Message}, which was never dispatched");
    }

    /// <summary>As a client puts it together: parts in order, each written at its offsets.</summary>
    private string TextOf(string message)
    {
        List<string> order = [];
        Dictionary<string, StringBuilder> parts = new(StringComparer.Ordinal);
        foreach (var e in session.Journal.Where(e => e.MessageId == message && e.Type == "agent.text"))
        {
            using var data = JsonDocument.Parse(e.Data);
            var part = data.RootElement.GetProperty("part").GetString()!;
            if (!parts.TryGetValue(part, out var text))
            {
                order.Add(part);
                parts.Add(part, text = new());
            }

            var offset = data.RootElement.GetProperty("offset").GetInt32();
            if (offset < text.Length) Add(FindingKind.Duplicate, $"{message} said again in event {e.Seq} what it had said"); // the scripted agent corrects nothing
            text.Length = offset;
            text.Append(data.RootElement.GetProperty("text").GetString());
        }

        return string.Concat(order.Select(part => parts[part].ToString()));
    }

    private static string[] Words(string data, string name)
    {
        using var json = JsonDocument.Parse(data);
        return json.RootElement.GetProperty(name).GetString()!.Split(' ');
    }

    private void Add(FindingKind kind, FormattableString what) => found.Add(new(kind, session.Session, what.ToString(CultureInfo.InvariantCulture)));
}
