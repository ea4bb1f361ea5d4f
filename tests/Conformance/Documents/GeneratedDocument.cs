using Coordinator.Tests.Conformance.Architecture;
using Coordinator.Tests.Support.Snapshots;
using Xunit;

namespace Coordinator.Tests.Conformance.Documents;

/// <summary>A page, or a marked part of one, that is made from the code: the test fails when it is stale.</summary>
internal static class GeneratedDocument
{
    private const string Switch = "COORDINATOR_WRITE_DOCS";

    /// <summary>The whole page.</summary>
    public static void Verify(string path, string text) => Compare(path, text.TrimEnd('\n') + "\n");

    /// <summary>What stands between the page's marks <c>&lt;!-- generated:name --&gt;</c> and <c>&lt;!-- /generated:name --&gt;</c>.</summary>
    public static void VerifyPart(string path, string name, string text)
    {
        var page = Read(path);
        var (begin, end) = ($"<!-- generated:{name} -->", $"<!-- /generated:{name} -->");
        var (from, to) = (page.IndexOf(begin, StringComparison.Ordinal), page.IndexOf(end, StringComparison.Ordinal));
        Assert.True(from >= 0 && to > from, $"{path} has no part {begin} … {end}.");
        Compare(path, $"{page[..(from + begin.Length)]}\n\n{text.Trim('\n')}\n\n{page[to..]}");
    }

    private static void Compare(string path, string wanted)
    {
        if (Environment.GetEnvironmentVariable(Switch) == "1") File.WriteAllText(Path.Combine(House.Root, path), wanted);
        var present = Read(path);
        Assert.True(present == wanted, $"{path} is stale; {Switch}=1 on this test writes it anew.\n{Snapshot.FirstDifference(present, wanted)}");
    }

    private static string Read(string path)
    {
        var file = Path.Combine(House.Root, path);
        return File.Exists(file) ? File.ReadAllText(file).ReplaceLineEndings("\n") : string.Empty;
    }
}
