using System.Text.Json.Serialization;

namespace Coordinator.Ports.Compute.DataPlane;

/// <summary>
/// <c>POST /sandboxes</c> (docs/protocol.md, Data plane). The same <see cref="IdempotencyKey"/> for the same box is answered
/// with the first one's box for as long as it is known; for another box it is refused.
/// </summary>
/// <param name="Name">The sandbox's id.</param>
/// <param name="Image">A prebuilt image (<c>POST /images</c>); null: the data plane's own.</param>
/// <param name="Env">Further environment of the box; no secret.</param>
/// <param name="Repository">Null: the box learns of it over the bridge.</param>
/// <param name="TtlSeconds">After how long the data plane ends the box whatever else happens.</param>
/// <param name="Requires">Names of <see cref="DataPlaneCapabilities"/>; a data plane that lacks one makes nothing. Null: none.</param>
public sealed record CreateSandboxBody(
    string IdempotencyKey,
    string Name,
    string? Image,
    string Agent,
    DataPlaneResources Resources,
    IReadOnlyDictionary<string, string> Env,
    DataPlaneBridge Bridge,
    string? Repository,
    long TtlSeconds,
    IReadOnlyDictionary<string, string> Labels,
    IReadOnlyList<string>? Requires = null);

/// <summary>Limits of a box.</summary>
public sealed record DataPlaneResources(long MemoryBytes, int Processes, double Cpus, long DiskBytes);

/// <summary>Where the box dials back to, as whom, and with what.</summary>
public sealed record DataPlaneBridge(string Url, string Token, string Organization, string Session, int Generation)
{
    /// <summary>Never prints the token.</summary>
    public override string ToString() => $"{Session} generation {Generation} to {Url}";
}

/// <summary>A box as the data plane sees it. <see cref="Status"/> is <c>running</c> or <c>stopped</c>.</summary>
public sealed record SandboxAnswer(string Id, string Node, string Status, string? Detail, IReadOnlyDictionary<string, string> Labels, DateTimeOffset CreatedAt)
{
    /// <summary><see cref="Status"/> of one that runs.</summary>
    public const string Running = "running";
    /// <summary><see cref="Status"/> of one that ended and left data.</summary>
    public const string Stopped = "stopped";
}

/// <summary><c>GET /sandboxes</c>: every box with all of the labels, or a failure; never some of them.</summary>
public sealed record SandboxesAnswer(string Node, IReadOnlyList<SandboxAnswer> Items);

/// <summary><c>GET /health</c>, signed; without a signature only <see cref="Status"/> is told.</summary>
/// <param name="Node">What the data plane calls itself in handles; the same for as long as its boxes and data are the same.</param>
public sealed record DataPlaneHealth(string Status, string? Node, DataPlaneCapacity? Capacity, DataPlaneCapabilities? Capabilities, IReadOnlyList<string>? Agents);

/// <summary>How many boxes run and may run.</summary>
public sealed record DataPlaneCapacity(int Running, int Most)
{
    /// <summary>How many more may run; never negative.</summary>
    [JsonIgnore]
    public int Free => Math.Max(0, Most - Running);
}

/// <summary>What the data plane can do beyond the minimum.</summary>
public sealed record DataPlaneCapabilities(bool KeepsData, bool Snapshots, bool Images, bool EnforcesMemory, bool EnforcesEgress);

/// <summary>
/// Every refusal and failure, as <c>application/problem+json</c>. <see cref="Kind"/> is the <see cref="PortFailureKind"/> in
/// camel case; <see cref="EffectMayHaveHappened"/> as in <see cref="PortException"/>.
/// </summary>
public sealed record DataPlaneProblem(int Status, string Code, string Detail, string? Kind, bool EffectMayHaveHappened, string? Node)
{
    /// <summary>The media type of a problem document (RFC 9457).</summary>
    public const string ContentType = "application/problem+json";

    /// <summary>There is no such box, for certain.</summary>
    public const string NotFound = "sandbox_not_found";

    /// <summary>The request names another node than the one that answers.</summary>
    public const string WrongNode = "wrong_node";

    /// <summary>The box must be able to do what it cannot here.</summary>
    public const string CapabilityMissing = "capability_missing";

    /// <summary>The data plane cannot do that at all.</summary>
    public const string Unsupported = "unsupported";
}

/// <summary>How the messages of the contract are read and written.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, RespectNullableAnnotations = true, RespectRequiredConstructorParameters = false)]
[JsonSerializable(typeof(CreateSandboxBody))]
[JsonSerializable(typeof(SandboxAnswer))]
[JsonSerializable(typeof(SandboxesAnswer))]
[JsonSerializable(typeof(DataPlaneHealth))]
[JsonSerializable(typeof(DataPlaneProblem))]
public sealed partial class DataPlaneJson : JsonSerializerContext;
