using System.Buffers;

namespace Coordinator.Adapters.FileSystem;

/// <summary>The only names artifacts have: 64 lower-case hex digits; so no name can lead out of its directory.</summary>
internal static class ArtifactName
{
    private const int Length = 64;

    private static readonly SearchValues<char> Digits = SearchValues.Create("0123456789abcdef");

    public static bool IsValid(string sha256) => sha256.Length == Length && !sha256.AsSpan().ContainsAnyExcept(Digits);
}
