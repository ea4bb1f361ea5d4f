using System.Globalization;
using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Coordinator.Ports.Compute.DataPlane;

namespace Coordinator.SandboxHost.Boxes;

/// <summary>Reads a create into what a driver takes, and refuses what does not make sense, all of it at once.</summary>
internal static class SpecReader
{
    private const int LongestKey = 128;
    private const int MostLabels = 32;
    private const int LongestToken = 512;

    /// <exception cref="PortException"><see cref="PortFailureKind.Rejected"/>.</exception>
    public static SandboxSpec Read(CreateSandboxBody body)
    {
        List<string> wrong = [];
        Demand(body.IdempotencyKey is { Length: > 0 and <= LongestKey }, $"idempotencyKey must have 1 to {LongestKey} characters");
        Demand(SandboxId.TryParse(body.Name, out var sandbox), "name must be a sandbox id");
        Demand(body.Image is null, "image is not supported here: boxes use this machine's programs");
        Demand(body.Env is null or { Count: 0 }, "env is not supported here");
        Demand(body.Agent is { Length: > 0 }, "agent must not be empty");
        Demand(body.Resources is { MemoryBytes: > 0, Processes: > 0, DiskBytes: > 0, Cpus: > 0 }, "resources must be positive");
        Demand(body.Labels is { Count: <= MostLabels }, $"labels must be there, at most {MostLabels}");
        foreach (var unknown in (body.Requires ?? []).Except(SandboxCapabilities.Names, StringComparer.OrdinalIgnoreCase)) wrong.Add($"requires: there is no capability '{unknown}' here");
        OrganizationId organization = default;
        SessionId session = default;
        Demand(body.Bridge is not null, "bridge must be there");
        if (body.Bridge is { } bridge)
        {
            Demand(Uri.TryCreate(bridge.Url, UriKind.Absolute, out var url) && url.Scheme is "http" or "https" && url.UserInfo.Length == 0 && url.AbsolutePath == "/", "bridge.url must be an http or https address without a path");
            Demand(bridge.Token is { Length: > 0 and <= LongestToken }, "bridge.token must not be empty");
            Demand(OrganizationId.TryParse(bridge.Organization, out organization), "bridge.organization must be an organization's id");
            Demand(SessionId.TryParse(bridge.Session, out session), "bridge.session must be a session's id");
            Demand(bridge.Generation > 0, "bridge.generation must be at least 1");
        }

        if (wrong.Count > 0) throw new PortException(PortFailureKind.Rejected, $"The create is wrong: {string.Join("; ", wrong)}.");
        DemandLabels(body, sandbox, session);
        return new(sandbox, body.Bridge!.Generation, organization, session, body.Agent,
            new(body.Resources.MemoryBytes, body.Resources.Processes, body.Resources.Cpus, body.Resources.DiskBytes), body.Labels, body.Bridge.Token) { Requires = SandboxCapabilities.Of(body.Requires ?? []) };

        void Demand(bool holds, string otherwise)
        {
            if (!holds) wrong.Add(otherwise);
        }
    }

    /// <summary>A box that its labels do not lead to could not be swept.</summary>
    private static void DemandLabels(CreateSandboxBody body, SandboxId sandbox, SessionId session)
    {
        (string Name, string Value)[] wanted =
        [
            (SandboxLabels.Sandbox, sandbox.ToString()),
            (SandboxLabels.Session, session.ToString()),
            (SandboxLabels.Generation, body.Bridge.Generation.ToString(CultureInfo.InvariantCulture)),
        ];
        foreach (var (name, value) in wanted)
        {
            if (body.Labels.GetValueOrDefault(name) != value) throw new PortException(PortFailureKind.Rejected, $"The create is wrong: the label {name} must be {value}.");
        }
    }
}
