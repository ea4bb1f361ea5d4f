using System.Runtime.CompilerServices;
using System.Text;
using Xunit;

namespace Coordinator.Tests.Support.Snapshots;

/// <summary>
/// Compares a text with the one that was approved and stands beside the test as <c>{name}.verified.{extension}</c>. When
/// they differ, what came is written beside it as <c>.received.</c>; to approve it, rename it. In the call shape of Verify,
/// for which it stands in.
/// </summary>
public static class Snapshot
{
    /// <summary>Line ends do not count; everything else does.</summary>
    public static async Task Verify(string received, string name, string extension = "txt", [CallerFilePath] string testFile = "")
    {
        var folder = Path.GetDirectoryName(testFile)!;
        var verifiedFile = Path.Combine(folder, $"{name}.verified.{extension}");
        var receivedFile = Path.Combine(folder, $"{name}.received.{extension}");
        var text = Normalize(received);
        var verified = File.Exists(verifiedFile) ? Normalize(await File.ReadAllTextAsync(verifiedFile)) : null;
        if (text == verified)
        {
            File.Delete(receivedFile);
            return;
        }

        await File.WriteAllTextAsync(receivedFile, text);
        Assert.Fail(verified is null
            ? $"Nothing was approved yet for {name}. Look at {Path.GetFileName(receivedFile)} and rename it to {Path.GetFileName(verifiedFile)}."
            : $"{name} is not what was approved.\n{FirstDifference(verified, text)}\nIf it is right, rename {Path.GetFileName(receivedFile)} to {Path.GetFileName(verifiedFile)}.");
    }

    /// <summary>Where two texts part, with the lines around it.</summary>
    public static string FirstDifference(string verified, string received)
    {
        var (expected, actual) = (verified.Split('\n'), received.Split('\n'));
        var line = 0;
        while (line < expected.Length && line < actual.Length && expected[line] == actual[line]) line++;
        var text = new StringBuilder($"line {line + 1}:\n");
        for (var i = Math.Max(0, line - 2); i < line; i++) text.Append("    ").Append(expected[i]).Append('\n');
        text.Append("  - ").Append(line < expected.Length ? expected[line] : "(end)").Append('\n');
        text.Append("  + ").Append(line < actual.Length ? actual[line] : "(end)");
        return text.ToString();
    }

    private static string Normalize(string text) => text.ReplaceLineEndings("\n").TrimEnd('\n') + "\n";
}
