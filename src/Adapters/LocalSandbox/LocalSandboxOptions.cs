using Coordinator.Adapters.LocalSandbox.Linux;
using Microsoft.Extensions.Options;

namespace Coordinator.Adapters.LocalSandbox;

/// <summary>Section <c>Sandbox:Local</c>: boxes on the host's own machine.</summary>
public sealed class LocalSandboxOptions
{
    public const string Section = "Sandbox:Local";

    /// <summary>
    /// Where boxes and the workspaces of sessions are kept. When the host is root and the boxes' user cannot reach it,
    /// a folder of its own under <see cref="SharedDirectory"/> stands in for it.
    /// </summary>
    public string DataDirectory { get; set; } = "data/sandboxes";

    /// <summary>The reachable place for data and staged programs when the configured ones lie where the boxes' user cannot go.</summary>
    public string SharedDirectory { get; set; } = "/var/lib/coordinator";

    /// <summary>The directory of the host's socket for boxes; empty: one is chosen (<see cref="HostSocket"/>).</summary>
    public string SocketDirectory { get; set; } = string.Empty;

    /// <summary>The published single file of the program in the box.</summary>
    public string BoxProgram { get; set; } = string.Empty;

    /// <summary>Agent binaries by name, such as <c>opencode</c>.</summary>
    public Dictionary<string, string> Agents { get; } = new(StringComparer.Ordinal);

    /// <summary>
    /// Whose processes boxes are when the host is root: a user name (created as a system user when missing), a uid, or
    /// <c>uid:gid</c>. It must not be root's, nor the database's. An ordinary user's boxes run as that user.
    /// </summary>
    public string User { get; set; } = "coordinator-box";

    /// <summary>The bubblewrap program, by name or path.</summary>
    public string Bubblewrap { get; set; } = "bwrap";

    /// <summary>Run boxes as plain processes where bubblewrap does not work: no isolation at all. Off by default.</summary>
    public bool AllowUnisolated { get; set; }

    /// <summary>Whether limits are set through control groups.</summary>
    public CgroupUse Cgroups { get; set; } = CgroupUse.WherePossible;

    /// <summary>The control group above all boxes.</summary>
    public string CgroupName { get; set; } = "coordinator";

    /// <summary>Boxes that may run at once; the next create is told that there is no room.</summary>
    public int MaxBoxes { get; set; } = 64;

    /// <summary>Size of a box's private <c>/tmp</c>, and of its <c>/dev/shm</c>, in bytes. They count as its memory.</summary>
    public long TmpBytes { get; set; } = 512L * 1024 * 1024;

    /// <summary>A create is refused for lack of room when less than this many bytes are free for data.</summary>
    public long MinimumFreeDiskBytes { get; set; } = 512L * 1024 * 1024;

    /// <summary>More host paths that boxes may read, at the same path, such as <c>/opt/node</c> or <c>/nix</c>.</summary>
    public List<string> ReadOnlyPaths { get; } = [];

    /// <summary>This machine's name in handles; empty: one is made up once and kept with the data.</summary>
    public string Node { get; set; } = string.Empty;

    /// <summary>How long the program in the box waits for the agent to come up.</summary>
    public int AgentStartSeconds { get; set; } = 60;
}

/// <summary>See <see cref="LocalSandboxOptions.Cgroups"/>.</summary>
public enum CgroupUse
{
    /// <summary>Control groups where this process may make them; otherwise a process limit inside the box and a memory watchdog.</summary>
    WherePossible,
    /// <summary>Never.</summary>
    Off,
}

/// <summary>Names every wrong setting at once.</summary>
internal sealed class LocalSandboxOptionsValidator : IValidateOptions<LocalSandboxOptions>
{
    public ValidateOptionsResult Validate(string? name, LocalSandboxOptions options)
    {
        List<string> wrong = [];
        Demand(options.BoxProgram.Length > 0, "BoxProgram must be the path of the published coordinator-box file");
        Demand(options.BoxProgram.Length == 0 || File.Exists(options.BoxProgram), $"BoxProgram names {options.BoxProgram}, which is not there; publish it (dotnet publish src/Sandbox), or correct the path");
        Demand(options.DataDirectory.Length > 0, "DataDirectory must not be empty");
        Demand(options.User.Length > 0, "User must not be empty");
        Demand(!BoxUsers.IsRoot(options.User), $"User is '{options.User}', which is root; boxes must belong to a user without rights");
        Demand(options.Bubblewrap.Length > 0, "Bubblewrap must not be empty");
        Demand(options.MaxBoxes > 0, $"MaxBoxes must be at least 1, not {options.MaxBoxes}");
        Demand(options.TmpBytes >= 1024 * 1024, $"TmpBytes must be at least 1 MiB, not {options.TmpBytes}");
        Demand(options.MinimumFreeDiskBytes >= 0, $"MinimumFreeDiskBytes must not be negative, but is {options.MinimumFreeDiskBytes}");
        Demand(options.AgentStartSeconds is > 0 and <= 3600, $"AgentStartSeconds must be 1 to 3600, not {options.AgentStartSeconds}");
        Demand(IsName(options.CgroupName), $"CgroupName must be one plain name, not '{options.CgroupName}'");
        foreach (var (agent, path) in options.Agents)
        {
            Demand(IsName(agent) && path.Length > 0, $"Agents:{agent} must be a plain name with a path");
            Demand(path.Length == 0 || File.Exists(path), $"Agents:{agent} names {path}, which is not there; install the agent, or correct the path");
        }

        foreach (var path in options.ReadOnlyPaths) Demand(Path.IsPathFullyQualified(path), $"ReadOnlyPaths must be absolute, but holds '{path}'");
        return wrong.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(wrong);

        void Demand(bool holds, string otherwise)
        {
            if (!holds) wrong.Add($"{LocalSandboxOptions.Section}: {otherwise}.");
        }
    }

    private static bool IsName(string text) =>
        text.Length > 0 && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.') && text[0] != '.';
}
