using Coordinator.Ports;
using Coordinator.Ports.Record;
using Coordinator.Ports.Session;
using Coordinator.Tests.Support;

namespace Coordinator.Tests.Conformance.RunHistory;

/// <summary>Runs to test with.</summary>
internal static class Sample
{
    private static readonly DateTimeOffset Start = new(2026, 1, 2, 3, 4, 5, 678, TimeSpan.Zero);

    public static RunRecord Run(OrganizationId organization, SessionId session, int ordinal)
    {
        var data = TestData.For($"run {ordinal}");
        var model = $"demo/{data.Hacker.Noun()}";
        return new(
            RunId.New(TimeProvider.System),
            organization,
            session,
            MessageId.New(TimeProvider.System),
            ordinal,
            new(data.PickRandom(PrincipalKind.ApiKey, PrincipalKind.User), $"key_{data.Random.AlphaNumeric(8)}", data.PersonName()),
            model,
            "opencode",
            SandboxId.New(TimeProvider.System),
            data.Random.Int(1, 9),
            "local",
            "completed",
            null,
            new(model, data.Random.Int(0, 2_000_000), data.Random.Int(0, 100_000), data.Random.Int(0, 100_000), data.Random.Int(0, 1_000), data.Random.Int(0, 1_000), decimal.Round(data.Random.Decimal(0, 50), 6)),
            Start.AddMinutes(ordinal),
            Start.AddMinutes(ordinal).AddMilliseconds(9),
            Start.AddMinutes(ordinal).AddSeconds(42),
            (ordinal * 100) + 1,
            (ordinal + 1) * 100,
            new string('d', 64));
    }
}
