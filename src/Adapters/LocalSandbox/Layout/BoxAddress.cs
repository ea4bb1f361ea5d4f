using System.Diagnostics.CodeAnalysis;
using Coordinator.Ports;

namespace Coordinator.Adapters.LocalSandbox.Layout;

/// <summary>Which box of which session: the text of a handle here, <c>ses_…/box_…</c>, made only from parsed ids so that it is safe in a path.</summary>
internal readonly record struct BoxAddress(SessionId Session, SandboxId Sandbox)
{
    public static bool TryParse(string text, [NotNullWhen(true)] out BoxAddress? address)
    {
        address = null;
        var parts = text.Split('/');
        if (parts.Length != 2 || !SessionId.TryParse(parts[0], out var session) || !SandboxId.TryParse(parts[1], out var sandbox)) return false;
        address = new(session, sandbox);
        return true;
    }

    public override string ToString() => $"{Session}/{Sandbox}";
}
