using System.Security.Cryptography;
using System.Text;
using Coordinator.Ports;
using Coordinator.Ports.Record;
using Coordinator.Ports.Session;
using Xunit;

namespace Coordinator.Tests.Conformance.RunHistory;

/// <summary>The canonical form is read by auditors' programs, so it is pinned byte for byte.</summary>
public sealed class RunChainTests
{
    private const string Canonical =
        """{"id":"run_00000000000000000000000001","organization":"org_00000000000000000000000002","session":"ses_00000000000000000000000003","message":"msg_00000000000000000000000004","ordinal":7,"requestedBy":{"kind":"user","id":"usr_1","displayName":"Ada Łöv <é😀> \\ \"q\" \u0001\n"},"model":"demo/scripted","agent":"opencode","sandbox":"box_00000000000000000000000005","generation":2,"sandboxProvider":"local","outcome":"completed","failureCode":null,"usage":{"model":"demo/scripted","inputTokens":1,"outputTokens":2,"reasoningTokens":3,"cacheReadTokens":4,"cacheWriteTokens":5,"costUsd":0.25},"queuedAt":"2026-01-02T03:04:05.123456Z","startedAt":"2026-01-02T03:04:06.000000Z","endedAt":"2026-01-02T03:04:07.000000Z","firstSeq":10,"lastSeq":20,"eventsDigest":"d"}""";

    private static readonly RunRecord Run = new(
        new(Number(1)), new(Number(2)), new(Number(3)), new(Number(4)), 7, new(PrincipalKind.User, "usr_1", "Ada Łöv <é😀> \\ \"q\" \u0001\n"), "demo/scripted", "opencode", new(Number(5)), 2, "local", "completed", null,
        new("demo/scripted", 1, 2, 3, 4, 5, 0.2500m), At.AddTicks(1_234_567), At.AddSeconds(1), At.AddSeconds(2), 10, 20, "d");

    private static DateTimeOffset At => new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    [Fact]
    public void The_canonical_form_of_a_run_never_changes() => Assert.Equal(Canonical, Encoding.UTF8.GetString(RunChain.CanonicalJson(Run)));

    [Fact]
    public void The_hash_can_be_checked_without_this_program() =>
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(new string('0', 64) + "\n" + Canonical))), RunChain.HashOf(RunChain.Genesis, Run));

    [Fact]
    public void A_run_moved_to_another_place_in_the_chain_does_not_follow()
    {
        var stored = new StoredRun(Run, RunChain.Genesis, RunChain.HashOf(RunChain.Genesis, Run));

        Assert.True(RunChain.Follows(RunChain.Genesis, stored));
        Assert.False(RunChain.Follows(stored.Hash, stored));
        Assert.False(RunChain.Follows(stored.Hash, stored with { PreviousHash = stored.Hash }));
    }

    private static Guid Number(byte last) => new([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last], bigEndian: true);
}
