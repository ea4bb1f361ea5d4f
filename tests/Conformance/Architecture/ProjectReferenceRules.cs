using System.Xml.Linq;

namespace Coordinator.Tests.Conformance.Architecture;

/// <summary>A reference that no line uses yet is not in the assembly; it is in the project file, and just as wrong.</summary>
internal static class ProjectReferenceRules
{
    /// <summary>Every project reference below src that its folder may not have.</summary>
    public static IReadOnlyList<string> Offences(string root) => [.. Directory
        .EnumerateFiles(Path.Combine(root, "src"), "*.csproj", new EnumerationOptions { RecurseSubdirectories = true, MaxRecursionDepth = 3 })
        .SelectMany(file => References(root, file))
        .Where(reference => !IsAllowed(reference.From, reference.To))
        .Select(reference => $"{reference.From} must not reference {reference.To}")];

    private static IEnumerable<(string From, string To)> References(string root, string file)
    {
        var folder = Path.GetDirectoryName(file)!;
        foreach (var reference in XDocument.Load(file).Descendants("ProjectReference").Select(element => element.Attribute("Include")!.Value))
            yield return (Relative(root, folder), Relative(root, Path.GetDirectoryName(Path.GetFullPath(Path.Combine(folder, reference.Replace('\\', '/'))))!));
    }

    private static bool IsAllowed(string from, string to) => from.Split('/') switch
    {
        ["src", "Ports"] or ["src", "Client"] => false,
        ["src", "Modules", "Sessions" or "Kernel"] => to == "src/Ports",
        ["src", "Modules", _] => to is "src/Ports" or "src/Modules/Kernel",
        ["src", "Adapters", _] or ["src", "Fakes"] or ["src", "Demo"] => to == "src/Ports",
        ["src", "Cli"] => to == "src/Client",
        ["src", "Sandbox" or "SandboxHost"] => to == "src/Ports" || to.StartsWith("src/Adapters/", StringComparison.Ordinal),
        ["src", "Host"] => to is not ("src/Fakes" or "src/Sandbox") && to.StartsWith("src/", StringComparison.Ordinal),
        _ => false,
    };

    private static string Relative(string root, string path) => Path.GetRelativePath(root, path).Replace('\\', '/');
}
