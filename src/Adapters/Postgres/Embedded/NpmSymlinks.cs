using System.Text.Json;
using System.Text.Json.Serialization;

namespace Coordinator.Adapters.Postgres.Embedded;

/// <summary>
/// npm packages cannot hold symbolic links, so the PostgreSQL package lists its own in a file, to be made after the
/// installation. Doing it again changes nothing.
/// </summary>
internal static class NpmSymlinks
{
    /// <summary>Makes the links that the list beside <paramref name="binaries"/> names; nothing when there is no list.</summary>
    public static void Hydrate(string binaries)
    {
        var list = Path.Combine(binaries, "..", "pg-symlinks.json");
        if (!File.Exists(list)) return;
        var package = Path.GetFullPath(Path.Combine(binaries, "..", ".."));
        foreach (var link in JsonSerializer.Deserialize(File.ReadAllBytes(list), NpmSymlinksJson.Default.NpmSymlinkArray) ?? [])
        {
            var (source, target) = (Path.GetFullPath(Path.Combine(package, link.Source)), Path.GetFullPath(Path.Combine(package, link.Target)));
            if (!Path.Exists(target)) Link(target, Path.GetRelativePath(Path.GetDirectoryName(target)!, source));
        }
    }

    private static void Link(string path, string pointsTo)
    {
        try
        {
            File.CreateSymbolicLink(path, pointsTo);
        }
        catch (IOException) when (Path.Exists(path))
        {
            // Another process has just made it.
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new DatabaseStartException($"The link {path}, which the PostgreSQL package needs, could not be made: {failure.Message} Run 'node scripts/hydrate-symlinks.js' in its folder as a user who may write there.", failure);
        }
    }
}

internal sealed record NpmSymlink(string Source, string Target);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(NpmSymlink[]))]
internal sealed partial class NpmSymlinksJson : JsonSerializerContext;
