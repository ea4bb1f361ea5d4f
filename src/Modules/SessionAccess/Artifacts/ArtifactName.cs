using Coordinator.Ports;

namespace Coordinator.Modules.SessionAccess.Artifacts;

/// <summary>Artifacts are named by the SHA-256 of their content: 64 lower-case hex digits.</summary>
internal static class ArtifactName
{
    public static readonly Problem Invalid = new("artifact_name_invalid", "An artifact is named by the SHA-256 of its content, 64 lower-case hex digits.", ProblemKind.Malformed);

    public static readonly Problem NotFound = new("artifact_not_found", "There is no such artifact.", ProblemKind.NotFound);

    private const int Length = 64;

    public static bool IsValid(string name) => name.Length == Length && name.All(digit => digit is (>= '0' and <= '9') or (>= 'a' and <= 'f'));
}
