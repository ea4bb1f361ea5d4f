using Coordinator.Ports;
using Coordinator.Ports.Record;
using Coordinator.Ports.Session;

namespace Coordinator.Tests.Modules.Runs;

/// <summary>Runs to test with.</summary>
internal static class Runs
{
    private static readonly DateTimeOffset Start = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    public static RunRecord Finished(OrganizationId organization, SessionId session, int ordinal) => new(
        RunId.New(TimeProvider.System), organization, session, MessageId.New(TimeProvider.System), ordinal, new(PrincipalKind.User, "usr_1", "Ada"), "demo/scripted", "opencode",
        SandboxId.New(TimeProvider.System), 1, "local", "completed", null, new("demo/scripted", 10, 20, 0, 0, 0, 0.5m),
        Start.AddMinutes(ordinal), Start.AddMinutes(ordinal), Start.AddMinutes(ordinal).AddSeconds(30), 1, 9, new string('d', 64));
}
