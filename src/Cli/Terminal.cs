using Spectre.Console;

namespace Coordinator.Cli;

/// <summary>Where the command line writes: answers to standard output, complaints to standard error.</summary>
internal static class Terminal
{
    private static readonly IAnsiConsole Complaints = To(Console.Error, Console.IsErrorRedirected);

    private static readonly Lazy<IAnsiConsole> Answers = new(() => To(Console.Out, Console.IsOutputRedirected));

    /// <summary>Wider than any line: what goes to a file or another program has no edge to be wrapped at.</summary>
    private const int NoEdge = 1_000_000;

    public static IAnsiConsole Out => Answers.Value;

    internal static IAnsiConsole To(TextWriter writer, bool isRedirected)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(writer) });
        if (isRedirected) console.Profile.Width = NoEdge;
        return console;
    }

    public static void Line(string text) => Console.Out.WriteLine(text);

    public static void Write(string text) => Console.Out.Write(text);

    public static void Error(string text) => Complaints.MarkupLineInterpolated($"[red]{text}[/]");
}
