namespace Coordinator.Demo.Repository;

/// <summary>The files of the sample repository, embedded in this assembly.</summary>
internal static class SampleFiles
{
    private const string Prefix = "sample/";

    /// <summary>Names that a source tree must not have for itself, as they stand in this one.</summary>
    private static readonly Dictionary<string, string> Renamed = new(StringComparer.Ordinal)
    {
        ["gitignore.txt"] = ".gitignore",
        ["env.example.txt"] = ".env.example",
    };

    /// <summary>Writes them below <paramref name="directory"/>.</summary>
    public static async Task WriteAsync(string directory, CancellationToken cancellationToken)
    {
        var assembly = typeof(SampleFiles).Assembly;
        foreach (var name in assembly.GetManifestResourceNames().Where(name => name.StartsWith(Prefix, StringComparison.Ordinal)))
        {
            var path = name[Prefix.Length..];
            var target = Path.Combine(directory, Renamed.GetValueOrDefault(path, path));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            await using var source = assembly.GetManifestResourceStream(name)!;
            await using var file = File.Create(target);
            await source.CopyToAsync(file, cancellationToken);
        }
    }
}
