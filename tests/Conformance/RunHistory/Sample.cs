using Coordinator.Ports;
using Coordinator.Ports.Record;
using Coordinator.Ports.Session;

namespace Coordinator.Tests.Conformance.RunHistory;

/// <summary>Runs to test with.</summary>
internal static class Sample
{
    private static readonly DateTimeOffset Start = new(2026, 1, 2, 3, 4, 5, 678, TimeSpan.Zero);

    public static RunRecord Run(OrganizationId organization, SessionId session, int ordinal) => new(
        RunId.New(TimeProvider.System),
        organization,
        session,
        MessageId.New(TimeProvider.System),
        ordinal,
        new(PrincipalKind.ApiKey, "key_1", "ci ✓ \"quoted\""),
        "demo/scripted",
        "opencode",
        SandboxId.New(TimeProvider.System),
        2,
        "local",
        "completed",
        null,
        new("demo/scripted", 1_200, 340, 0, 12, 7, 0.0123m),
        Start.AddMinutes(ordinal),
        Start.AddMinutes(ordinal).AddMilliseconds(9),
        Start.AddMinutes(ordinal).AddSeconds(42),
        (ordinal * 100) + 1,
        (ordinal + 1) * 100,
        new string('d', 64));
}
