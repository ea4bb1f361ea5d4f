using System.Text.Json.Serialization;

namespace Coordinator.Ports.Compute;

/// <summary>
/// What a repository needs to be worked on, as its files say it. The JSON form is that of docs/protocol.md, section 1,
/// "Environment"; write and read it with <see cref="EnvironmentJson"/>.
/// </summary>
/// <param name="PackageManager">The one whose <see cref="EnvironmentCommands.Install"/> is run; null when none is found at the root.</param>
/// <param name="PackageManagers">All found, the root's first, each in order of precedence.</param>
/// <param name="FileCount">Files of the repository, ignored and untracked ones not counted.</param>
/// <param name="EnvironmentVariables">Names only, from <c>.env.example</c> and the like.</param>
/// <param name="Commit">The commit that was looked at; null when there is none yet.</param>
public sealed record DetectedEnvironment(
    string? PackageManager,
    IReadOnlyList<string> PackageManagers,
    int FileCount,
    EnvironmentCommands Commands,
    IReadOnlyList<EnvironmentLanguage> Languages,
    IReadOnlyList<EnvironmentRuntime> Runtimes,
    IReadOnlyList<EnvironmentPackage> Packages,
    IReadOnlyList<string> EnvironmentVariables,
    bool HasDockerfile,
    bool HasDevcontainer,
    string? Commit);

/// <summary>Shell command lines, run at the root; null where the files name none.</summary>
public sealed record EnvironmentCommands(string? Install, string? Build, string? Test, string? Start)
{
    /// <summary>The files name no command.</summary>
    public static EnvironmentCommands None { get; } = new(null, null, null, null);
}

/// <summary>A language, and how many files are written in it.</summary>
public sealed record EnvironmentLanguage(string Name, int Files);

/// <summary><see cref="Version"/> is what the files ask for, as they write it; null when they only imply the runtime.</summary>
public sealed record EnvironmentRuntime(string Name, string? Version);

/// <summary>One package of a monorepo; <see cref="Path"/> is relative to the root.</summary>
public sealed record EnvironmentPackage(string Path, string Name);

/// <summary>Source-generated JSON of <see cref="DetectedEnvironment"/>, nulls written out.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(DetectedEnvironment))]
public sealed partial class EnvironmentJson : JsonSerializerContext;
