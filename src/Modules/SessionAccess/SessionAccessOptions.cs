using System.ComponentModel.DataAnnotations;

namespace Coordinator.Modules.SessionAccess;

/// <summary>Section <c>Sessions</c>: what sessions may be made with, and what boxes are told.</summary>
public sealed class SessionAccessOptions
{
    public const string Section = "Sessions";

    private string[] agents = [];

    /// <summary>The agents a session may name; the first is what an unnamed one means. Default: <c>opencode</c>.</summary>
    public string[] Agents
    {
        get => agents.Length > 0 ? agents : ["opencode"];
        set => agents = value;
    }

    /// <summary>How long the events of a session that is over are kept after the last, archived or not; at least a day; unset: for ever.</summary>
    public TimeSpan? KeepEvents { get; set; }

    /// <summary>How long after its last event the events of a session that sleeps move from the database to the artifacts, where they are read as before; at least a day, and less than `KeepEvents`; unset: never.</summary>
    public TimeSpan? ArchiveEventsAfter { get; set; }

    /// <summary>How long after its last event a session that sleeps has its text merged: what an agent said piece by piece becomes one event. From a minute to 30 days; 0: never. Default 1 hour.</summary>
    public TimeSpan CompactAfter { get; set; } = TimeSpan.FromHours(1);

    /// <summary>The largest repository a box clones, in bytes. Default 2 GiB.</summary>
    [Range(1L, 1L << 50)]
    public long RepositoryBytes { get; set; } = 2L * 1024 * 1024 * 1024;

    /// <summary>How long a clone may take. Default 120.</summary>
    [Range(1, 3_600)]
    public int CloneSeconds { get; set; } = 120;

    /// <summary>How long the install step may take. Default 300.</summary>
    [Range(1, 7_200)]
    public int InstallSeconds { get; set; } = 300;

    /// <summary>How long an agent may take to start. Default 60.</summary>
    [Range(1, 600)]
    public int AgentStartSeconds { get; set; } = 60;
}
