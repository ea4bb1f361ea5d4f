using Coordinator.Ports;
using Coordinator.SandboxHost.Boxes;

namespace Coordinator.SandboxHost.Relay;

/// <summary>Where a box's request goes, and whether it may go anywhere.</summary>
internal static class RelayRoutes
{
    private const string Bearer = "Bearer ";

    /// <summary>What of a control plane is meant for boxes (docs/protocol.md, Bridge and what else a box may call).</summary>
    public static bool IsForBoxes(PathString path) =>
        path == "/v1/bridge" || path.StartsWithSegments("/v1/bridge", StringComparison.Ordinal) || path.StartsWithSegments("/model/v1", StringComparison.Ordinal);

    /// <summary>
    /// Which box speaks, by its token: <c>sb_{organization}.{session}.{sandbox}.…</c> or <c>gt_…</c> of the same form. What it
    /// proves is for the control plane to judge; here it only says which one that is.
    /// </summary>
    public static KnownCreate? Find(CreateLedger ledger, string? authorization)
    {
        if (authorization is null || !authorization.StartsWith(Bearer, StringComparison.Ordinal)) return null;
        return authorization[Bearer.Length..].Split('.') is [_, var second, var third, ..]
            && SessionId.TryParse(second, out var session)
            && SandboxId.TryParse(third, out var sandbox)
            && ledger.Find(sandbox) is { } known
            && known.Session == session ? known : null;
    }
}
