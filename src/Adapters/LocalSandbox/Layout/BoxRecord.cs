using System.Text.Json.Serialization;
using Coordinator.Adapters.LocalSandbox.Linux;
using Coordinator.Ports;
using Coordinator.Ports.Compute;

namespace Coordinator.Adapters.LocalSandbox.Layout;

/// <summary>
/// What the host knows of one box, as it stands on disk. Written before each step that it tells of could have an
/// effect, so that whoever reads it after a crash knows of every process there can be.
/// </summary>
internal sealed record BoxRecord
{
    public required SandboxId Sandbox { get; init; }

    public required int Generation { get; init; }

    public required OrganizationId Organization { get; init; }

    public required SessionId Session { get; init; }

    public required IReadOnlyDictionary<string, string> Labels { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>For the watchdog, where no control group limits it. Bytes.</summary>
    public required long MemoryBytes { get; init; }

    /// <summary>False: plain processes, found by their environment rather than by a namespace.</summary>
    public required bool Isolated { get; init; }

    /// <summary>A control group with a limit of memory holds it.</summary>
    public bool MemoryLimited { get; init; }

    /// <summary>The process that becomes the isolation's outer one; written before it may start anything.</summary>
    public ProcessIdentity? Launcher { get; init; }

    /// <summary>The first process inside; its end is the end of all of them. Null until it was seen.</summary>
    public ProcessIdentity? Main { get; init; }

    /// <summary>Why it ended, when this host ended it and knows.</summary>
    public string? EndDetail { get; init; }

    /// <summary>The record is there and cannot be read: this stands in for it (<see cref="DamagedRecord"/>). Generation 0 is one that is not known.</summary>
    [JsonIgnore]
    public bool IsDamaged { get; init; }

    [JsonIgnore]
    public BoxAddress Address => new(Session, Sandbox);

    /// <summary>Where a generation is not known, ids tell, which are made one after another.</summary>
    public bool IsNewerThan(SandboxId sandbox, int generation) => Generation > 0 && generation > 0
        ? Generation > generation
        : string.CompareOrdinal(Sandbox.ToString(), sandbox.ToString()) > 0;
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(BoxRecord))]
internal sealed partial class BoxRecordJson : JsonSerializerContext;
