using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Coordinator.Demo.Model;

/// <summary>
/// The demo model: no model at all, but a script that answers by what stands in the conversation. The same request is
/// always answered the same. Pure.
/// </summary>
internal static partial class ScriptedModel
{
    private const int LongestTitle = 50;
    private const int LongestCount = 10_000;
    private const string DefaultWorkspace = "/workspace";

    private const string Introduction = """
        I am the **scripted demo model**: no AI, only fixed answers, so that you can try everything without an account.

        What I can do:
        - run a command: ``run `npm test` `` or `run the command: ls -la`
        - write a file: `create a file hello.txt with: Hello!`
        - both, in order: ``create a file a.txt, then run `cat a.txt` ``
        - count, to watch a stream: `count to 50` or `count slowly to 50`
        - remember: `what did I ask before?` or `repeat my first message`

        For real work choose a real model and store its provider's key in the settings.
        """;

    public static DemoAnswer Answer(ChatRequest request)
    {
        var lastUser = request.Messages.Select((message, index) => (message, index)).LastOrDefault(entry => entry.message.Role == "user");
        if (lastUser.message is null) return new DemoAnswer.Say(Introduction);
        if (request.Tools.Count == 0 && IsTitleCall(request)) return new DemoAnswer.Say(Title(lastUser.message.Text), Pause: 0);

        var outputs = request.Messages.Skip(lastUser.index + 1).Where(message => message.Role == "tool").Select(message => message.Text).ToArray();
        var steps = DemoStep.Find(lastUser.message.Text);
        if (outputs.Length < steps.Count) return NextStep(request, steps[outputs.Length]);
        if (outputs.Length > 0) return new DemoAnswer.Say(Report(steps, outputs));

        var before = request.Messages.Take(lastUser.index).Where(message => message.Role == "user");
        string[] earlier = [.. before.SelectMany(message => message.Earlier.Append(message.Text)), .. lastUser.message.Earlier];
        return Converse(lastUser.message.Text, [.. earlier.Where(text => text.Length > 0)]);
    }

    private static DemoAnswer NextStep(ChatRequest request, DemoStep step) =>
        step.AsCall(request.Tools, Workspace(request))
        ?? (DemoAnswer)new DemoAnswer.Say("I would use a tool for that, but this agent offers me none that fits.");

    private static string Report(IReadOnlyList<DemoStep> steps, string[] outputs)
    {
        var report = new StringBuilder();
        for (var i = 0; i < outputs.Length; i++)
        {
            report.Append(i < steps.Count ? steps[i].Report(outputs[i]) : $"The tool said: {outputs[i]}\n").Append('\n');
        }

        return report.Append("Done.").ToString();
    }

    private static DemoAnswer.Say Converse(string text, string[] earlier)
    {
        if (Count().Match(text) is { Success: true } count) return Counted(count);
        if (First().IsMatch(text)) return new(earlier.Length == 0 ? "This is your first message." : $"Your first message was: {earlier[0]}");
        if (Before().IsMatch(text)) return new(Recollection(earlier));
        if (Greeting().IsMatch(text)) return new($"Hello! {Introduction}");
        return new($"I have no script for that.\n\n{Introduction}");
    }

    private static DemoAnswer.Say Counted(Match match)
    {
        var last = Math.Clamp(int.TryParse(match.Groups["last"].Value, NumberStyles.None, CultureInfo.InvariantCulture, out var given) ? given : LongestCount, 1, LongestCount);
        var numbers = string.Join(' ', Enumerable.Range(1, last));
        return new(numbers, match.Groups["slowly"].Success ? 10 : 1);
    }

    private static string Recollection(string[] earlier)
    {
        if (earlier.Length == 0) return "You have asked nothing before this.";
        var list = new StringBuilder("Before this you asked:\n\n");
        for (var i = 0; i < earlier.Length; i++) list.Append(CultureInfo.InvariantCulture, $"{i + 1}. {earlier[i]}\n");
        return list.ToString().TrimEnd('\n');
    }

    private static bool IsTitleCall(ChatRequest request) =>
        request.Messages.Any(message => message.Role is "system" or "developer" or "user" && message.Text.Contains("title", StringComparison.OrdinalIgnoreCase));

    private static string Title(string text)
    {
        var words = text.Replace('\n', ' ').Trim().Trim('"').Split(' ', StringSplitOptions.RemoveEmptyEntries).Take(7);
        var title = string.Join(' ', words);
        if (title.Length > LongestTitle) title = title[..(LongestTitle - 1)].TrimEnd() + "…";
        return title.Length == 0 ? "Demo conversation" : char.ToUpperInvariant(title[0]) + title[1..];
    }

    private static string Workspace(ChatRequest request)
    {
        var system = request.Messages.FirstOrDefault(message => message.Role == "system")?.Text ?? string.Empty;
        return WorkingDirectory().Match(system) is { Success: true } found ? found.Groups["path"].Value : DefaultWorkspace;
    }

    [GeneratedRegex(@"\bcount\s+(?<slowly>slowly\s+)?(?:up\s+)?(?:from\s+(?:1|one)\s+)?to\s+(?<last>\d+)(?<slowly>\s+slowly)?", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant, 250)]
    private static partial Regex Count();

    [GeneratedRegex(@"\b(?:my|the)\s+first\s+(?:message|question|prompt|request)\b|\bask(?:ed)?\s+(?:you\s+)?first\b", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant, 250)]
    private static partial Regex First();

    [GeneratedRegex(@"\b(?:did|have)\s+I\s+(?:ask|say|said|tell|want)\w*\b|\b(?:my|the)\s+(?:previous|last|earlier)\s+(?:message|question|prompt|request)s?\b|\bdo\s+you\s+remember\b", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant, 250)]
    private static partial Regex Before();

    [GeneratedRegex(@"^\W*(?:hi|hello|hey|good\s+(?:morning|evening|day))\b", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant, 250)]
    private static partial Regex Greeting();

    [GeneratedRegex(@"Working directory:\s*(?<path>/[^\n]*?)\s*$", RegexOptions.IgnoreCase | RegexOptions.Multiline | RegexOptions.CultureInvariant, 250)]
    private static partial Regex WorkingDirectory();
}
