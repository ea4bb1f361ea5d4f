using System.Text.Json;
using System.Text.RegularExpressions;

namespace Coordinator.Demo.Model;

/// <summary>One thing a person asked the script to do with a tool, found in their words.</summary>
internal sealed partial record DemoStep(DemoStepKind Kind, string Subject, string Content, int Position)
{
    private const string FileContent = "Written by the scripted demo model.\n";

    /// <summary>Commands that are taken for one when they stand bare after "run".</summary>
    private const string BareCommands = "npm|npx|node|git|ls|cat|echo|pwd|sleep|seq|find|grep|head|tail|wc|date|whoami|id|env|uname|python3?|sh|bash|make|mkdir|touch|rm|true|false|for|yes";

    private static readonly string[] ShellTools = ["bash", "shell", "run_shell_command"];
    private static readonly string[] WriteTools = ["write", "write_file"];

    /// <summary>The steps a message asks for, in its order.</summary>
    public static IReadOnlyList<DemoStep> Find(string message)
    {
        var steps = new List<DemoStep>();
        if (WithContent().Match(message) is { Success: true } write)
        {
            steps.Add(new(DemoStepKind.Write, write.Groups["name"].Value, write.Groups["content"].Value.Trim() + "\n", write.Index));
            message = message.Remove(write.Index);
        }

        steps.AddRange(Quoted().Matches(message).SelectMany(Commands));
        if (steps.All(step => step.Kind != DemoStepKind.Run))
        {
            if (AfterColon().Match(message) is { Success: true } colon) steps.Add(new(DemoStepKind.Run, colon.Groups["command"].Value.Trim(), string.Empty, colon.Index));
            else if (Bare().Match(message) is { Success: true } bare) steps.Add(new(DemoStepKind.Run, bare.Groups["command"].Value.Trim(), string.Empty, bare.Index));
            else if (Tests().Match(message) is { Success: true } tests) steps.Add(new(DemoStepKind.Run, "npm test", string.Empty, tests.Index));
        }

        steps.AddRange(Empty().Matches(message).Select(file => new DemoStep(DemoStepKind.Write, file.Groups["name"].Value, FileContent, file.Index)));
        steps.Sort((left, right) => left.Position.CompareTo(right.Position));
        return steps;
    }

    /// <summary>The call of the agent's tool that does it; null when the agent offers none.</summary>
    public DemoAnswer.Call? AsCall(IReadOnlyList<string> tools, string workspace)
    {
        var wanted = Kind == DemoStepKind.Run ? ShellTools : WriteTools;
        if (wanted.FirstOrDefault(tools.Contains) is not { } tool) return null;
        return Kind == DemoStepKind.Run
            ? new("I run the command. ", tool, JsonSerializer.Serialize(new ShellArguments(Subject, $"Runs {Shortened(Subject)}"), DemoJson.Default.ShellArguments))
            : new($"I write {Subject}. ", tool, JsonSerializer.Serialize(new WriteArguments(Content, Path.Combine(workspace, Subject)), DemoJson.Default.WriteArguments));
    }

    /// <summary>What to say of the tool's output.</summary>
    public string Report(string output) => Kind == DemoStepKind.Run
        ? $"`{Subject}` said:\n\n```\n{(output.Length > 1_500 ? output[..1_500] + "\n…" : output).TrimEnd('\n')}\n```\n"
        : $"{Subject}: {output.Split('\n')[0]}\n";

    private static IEnumerable<DemoStep> Commands(Match sentence) =>
        sentence.Groups["command"].Captures.Select(command => new DemoStep(DemoStepKind.Run, command.Value.Trim(), string.Empty, command.Index));

    private static string Shortened(string text) => text.Length > 40 ? text[..40] + "…" : text;

    [GeneratedRegex(@"\b(?:run|execute)\b[^`\n]{0,80}`(?<command>[^`]+)`(?:(?:\s*,|\s*and|\s*then|\s*after that)+\s*(?:run|execute)?\s*`(?<command>[^`]+)`)*", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant, 250)]
    private static partial Regex Quoted();

    [GeneratedRegex(@"\b(?:run|execute)(?:\s+(?:the|this|following|shell|bash))*(?:\s+command)?\s*:\s*(?<command>[^\n]+)", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant, 250)]
    private static partial Regex AfterColon();

    [GeneratedRegex(@"^\W*(?:please\s+)?(?:run|execute)\s+(?:the\s+command\s+)?(?<command>(?:" + BareCommands + @")\b[^\n]*)", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant, 250)]
    private static partial Regex Bare();

    [GeneratedRegex(@"\brun\s+(?:all\s+)?(?:the\s+|its\s+)?tests?\b", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant, 250)]
    private static partial Regex Tests();

    [GeneratedRegex(@"\b(?:write|create|make|add)\s+(?:a\s+|the\s+)?(?:new\s+)?file\s+(?:called\s+|named\s+)?[`""']?(?<name>[^\s`""':]+)[`""']?\s*,?\s*(?:with|containing)(?:\s+(?:the\s+)?(?:content|contents|text))?\s*:?\s*(?<content>.+)$", RegexOptions.IgnoreCase | RegexOptions.Singleline | RegexOptions.CultureInvariant, 250)]
    private static partial Regex WithContent();

    [GeneratedRegex(@"\b(?:write|create|make|add)\s+(?:a\s+|the\s+)?(?:new\s+)?file\s+(?:called\s+|named\s+)?[`""']?(?<name>[\w./-]*\w)[`""']?", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant, 250)]
    private static partial Regex Empty();
}

internal enum DemoStepKind
{
    Run,
    Write,
}

internal sealed record ShellArguments(string Command, string Description);

internal sealed record WriteArguments(string Content, string FilePath);
