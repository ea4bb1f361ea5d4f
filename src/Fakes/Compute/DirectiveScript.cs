using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Coordinator.Ports.Compute;

namespace Coordinator.Fakes.Compute;

/// <summary>
/// The script agents play unless given another: the last directive in the prompt is done. <c>@say text</c>,
/// <c>@think text</c>, <c>@run command</c> (knows <c>echo</c>, <c>sleep</c>, <c>true</c>, and <c>seq</c>, of whose output it keeps the end), <c>@write path</c>,
/// <c>@fail status message</c>, <c>@recall</c> (tells all that was said to it), <c>@ramble</c>, <c>@nothing</c>. A
/// prompt without a directive is answered with "Done.".
/// </summary>
public static partial class DirectiveScript
{
    public static IEnumerable<ScriptedStep> Play(ScriptedConversation conversation, AgentPrompt prompt)
    {
        var directive = Directive().Matches(prompt.Text).LastOrDefault();
        var argument = directive?.Groups[2].Value.Trim() ?? "";
        return directive?.Groups[1].Value switch
        {
            "say" => [new ScriptedStep.Say(argument)],
            "think" => [new ScriptedStep.Think(argument), new ScriptedStep.Say("Thought.")],
            "run" => Run(argument),
            "write" => Write(argument),
            "fail" => [new ScriptedStep.Fail("model_error", $"The model provider refused the request ({argument.Split(' ')[0]}): {argument[4..]}.")],
            "recall" => [new ScriptedStep.Say(string.Join(" | ", conversation.UserTexts))],
            "ramble" => [new ScriptedStep.Endless(Text: "and so on ")],
            "nothing" => [],
            _ => [new ScriptedStep.Say("Done.")],
        };
    }

    private static IEnumerable<ScriptedStep> Run(string command)
    {
        var input = $$"""{"command":{{Quoted(command)}}}""";
        if (command.StartsWith("sleep", StringComparison.Ordinal)) return [new ScriptedStep.Endless("bash", input)];
        if (command.StartsWith("seq ", StringComparison.Ordinal)) return [new ScriptedStep.RunTool("bash", input, command, $"{command.Split(' ')[^1]}\n", Truncated: true), new ScriptedStep.Say("Done.")];
        var output = command.StartsWith("echo ", StringComparison.Ordinal) ? command[5..] + "\n" : "";
        return [new ScriptedStep.RunTool("bash", input, command, output), new ScriptedStep.Say("Done.")];
    }

    private static IEnumerable<ScriptedStep> Write(string path) =>
    [
        new ScriptedStep.RunTool("write", $$"""{"filePath":{{Quoted(path)}}}""", path, "Wrote file successfully."),
        new ScriptedStep.Tell(new AgentUpdate.FileChanged(path, FileChange.Created)),
        new ScriptedStep.Say("Done."),
    ];

    private static string Quoted(string text) => string.Create(CultureInfo.InvariantCulture, $"\"{JsonEncodedText.Encode(text)}\"");

    [GeneratedRegex(@"@(\w+)([^\n|]*)")]
    private static partial Regex Directive();
}
