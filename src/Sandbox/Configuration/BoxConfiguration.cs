using System.Text.Json;
using System.Text.Json.Serialization;
using Coordinator.Ports;

namespace Coordinator.Sandbox.Configuration;

/// <summary>
/// What the provider tells the program in the box (docs/protocol.md, section 5, "Start of a box"). Everything else
/// comes from the control plane with <c>welcome</c>.
/// </summary>
internal sealed record BoxConfiguration
{
    /// <summary><c>unix:/path/of/socket</c>, <c>https://host</c> or, for tests and single machines, <c>http://host</c>.</summary>
    public required string Endpoint { get; init; }

    /// <summary>The box's only secret.</summary>
    public required string Token { get; init; }

    public required SandboxId Sandbox { get; init; }

    public required int Generation { get; init; }

    public required string Workspace { get; init; }

    public required string Home { get; init; }

    /// <summary>Where the spool, the message ledger and the agent's conversation id are kept.</summary>
    public required string State { get; init; }

    /// <summary>Executables by agent name.</summary>
    public required IReadOnlyDictionary<string, string> Agents { get; init; }

    // Settable, not init-only: the JSON source generator gives an init-only member its type's default when the file leaves it out.
    public int AgentStartSeconds { get; set; } = BoxBudgets.AgentStartSeconds;

    /// <summary>What workspace and home may hold together; 0 for whatever the disk takes.</summary>
    public long DiskBytes { get; set; }

    /// <summary>How long the box lives without a control plane before it ends itself.</summary>
    public int LonelySeconds { get; set; } = BoxBudgets.LonelySeconds;

    /// <summary>Reads and checks a file; all that is wrong with it is said at once, and never the token.</summary>
    public static Result<BoxConfiguration> Load(string path)
    {
        try
        {
            var configuration = JsonSerializer.Deserialize(File.ReadAllBytes(path), BoxConfigurationJson.Default.BoxConfiguration);
            if (configuration is null) return Invalid(path, "it holds null");
            var faults = configuration.Faults().ToArray();
            return faults.Length == 0 ? configuration : Invalid(path, string.Join("; ", faults));
        }
        catch (JsonException exception)
        {
            return Invalid(path, $"it is not JSON of the expected shape (line {exception.LineNumber + 1}, at {exception.Path})");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return Invalid(path, exception.Message);
        }
    }

    private IEnumerable<string> Faults()
    {
        if (HostLink.HostEndpoint.TryParse(Endpoint) is null) yield return "endpoint must be unix:/path, https://host or http://host";
        if (!Token.StartsWith("sb_", StringComparison.Ordinal)) yield return "token must start with sb_";
        if (Generation < 1) yield return "generation must be at least 1";
        foreach (var (name, folder) in new[] { ("workspace", Workspace), ("home", Home), ("state", State) })
        {
            if (!Path.IsPathFullyQualified(folder)) yield return $"{name} must be an absolute path";
        }

        if (Agents.Count == 0) yield return "agents must name at least one executable";
        if (AgentStartSeconds is < 1 or > 600) yield return "agentStartSeconds must be 1 to 600";
        if (DiskBytes < 0) yield return "diskBytes must not be negative";
        if (LonelySeconds < 1) yield return "lonelySeconds must be at least 1";
    }

    private static Problem Invalid(string path, string why) => new("box_configuration_invalid", $"The box cannot start from {path}: {why}.");

    public override string ToString() => $"box {Sandbox} generation {Generation}";
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(BoxConfiguration))]
internal sealed partial class BoxConfigurationJson : JsonSerializerContext;
