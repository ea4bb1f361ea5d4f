using Spectre.Console;

namespace Coordinator.Cli;

/// <summary>Where the command line writes: answers to standard output, complaints to standard error.</summary>
internal static class Terminal
{
    private static readonly IAnsiConsole Complaints = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });

    public static IAnsiConsole Out => AnsiConsole.Console;

    public static void Line(string text) => Console.Out.WriteLine(text);

    public static void Write(string text) => Console.Out.Write(text);

    public static void Error(string text) => Complaints.MarkupLineInterpolated($"[red]{text}[/]");
}
