using System.Text.Json.Serialization;
using Coordinator.Ports.Compute;
using Coordinator.Sandbox.Configuration;

namespace Coordinator.Sandbox.Bridge;

/// <summary>What the control plane wants of this box: the <c>config</c> of <c>welcome</c>.</summary>
internal sealed record BoxSettings
{
    public BoxRepository? Repository { get; init; }

    public required string Agent { get; init; }

    public required AgentModel Model { get; init; }

    // Optional values are set, not init: the JSON generator would otherwise put null or false where a frame says nothing.

    /// <summary><c>ask</c>, or anything else for <c>auto</c>.</summary>
    public string Permissions { get; set; } = "auto";

    public bool Install { get; set; } = true;

    public BoxLimits Limits { get; set; } = new();

    public bool AsksPermissions => string.Equals(Permissions, "ask", StringComparison.OrdinalIgnoreCase);
}

internal sealed record BoxRepository(string Url, string? Branch);

/// <summary>Bounds of the boot's steps; zero or absent means the box's own default.</summary>
internal sealed record BoxLimits
{
    public long RepositoryBytes { get; init; }

    public int CloneSeconds { get; init; }

    public int InstallSeconds { get; init; }

    public int AgentStartSeconds { get; init; }

    [JsonIgnore]
    public long MaxRepositoryBytes => RepositoryBytes > 0 ? RepositoryBytes : BoxBudgets.RepositoryBytes;

    [JsonIgnore]
    public TimeSpan CloneBudget => TimeSpan.FromSeconds(CloneSeconds > 0 ? CloneSeconds : BoxBudgets.CloneSeconds);

    [JsonIgnore]
    public TimeSpan InstallBudget => TimeSpan.FromSeconds(InstallSeconds > 0 ? InstallSeconds : BoxBudgets.InstallSeconds);

    /// <summary>How long the agent may take, where the control plane says so.</summary>
    [JsonIgnore]
    public TimeSpan? AgentStartBudget => AgentStartSeconds > 0 ? TimeSpan.FromSeconds(AgentStartSeconds) : null;
}
