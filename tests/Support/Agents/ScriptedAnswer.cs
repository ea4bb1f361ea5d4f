using System.Globalization;
using System.Text.RegularExpressions;

namespace Coordinator.Tests.Support.Agents;

/// <summary>What a scripted model does about a prompt.</summary>
public abstract partial record ScriptedAnswer
{
    private ScriptedAnswer()
    {
    }

    public sealed record Say(string Text, string? Thought = null) : ScriptedAnswer;

    public sealed record CallTool(string Tool, IReadOnlyDictionary<string, string> Arguments) : ScriptedAnswer;

    public sealed record Fail(int Status, string Message) : ScriptedAnswer;

    /// <summary>Streams until the caller goes away.</summary>
    public sealed record Ramble : ScriptedAnswer;

    /// <summary>
    /// Reads the last directive of the last user message: <c>@say text</c>, <c>@think text</c>, <c>@run command</c>,
    /// <c>@write path</c>, <c>@fail status message</c>, <c>@recall</c> (tells all user messages), <c>@ramble</c>,
    /// <c>@nothing</c>. After a tool's result the answer is "Done.".
    /// </summary>
    public static ScriptedAnswer To(IReadOnlyList<string> userMessages, bool hasToolResult)
    {
        var directive = Directive().Matches(userMessages.Count == 0 ? "" : userMessages[^1]).LastOrDefault();
        var argument = directive?.Groups[2].Value.Trim() ?? "";
        return directive?.Groups[1].Value switch
        {
            "run" or "write" when hasToolResult => new Say("Done."),
            "run" => new CallTool("bash", new Dictionary<string, string> { ["command"] = argument, ["description"] = "Runs a command" }),
            "write" => new CallTool("write", new Dictionary<string, string> { ["filePath"] = argument, ["content"] = "written\n" }),
            "say" => new Say(argument.Replace("\\n", "\n", StringComparison.Ordinal)),
            "think" => new Say("Thought.", argument),
            "recall" => new Say(string.Join(" | ", userMessages)),
            "fail" => new Fail(int.Parse(argument.Split(' ')[0], CultureInfo.InvariantCulture), argument[4..]),
            "ramble" => new Ramble(),
            "nothing" => new Say(""),
            _ => new Say("I have no script for this."),
        };
    }

    [GeneratedRegex(@"@(\w+)([^\n|]*)")]
    private static partial Regex Directive();
}
