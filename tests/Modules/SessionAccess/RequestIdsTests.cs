using Coordinator.Modules.SessionAccess;
using Coordinator.Ports;
using Xunit;

namespace Coordinator.Tests.Modules.SessionAccess;

/// <summary>A retry may come to a host of the next release: it is recognised there by what the last one remembered.</summary>
public sealed class RequestIdsTests
{
    private static readonly TenantContext Tenant = new(OrganizationId.New(TimeProvider.System), new(PrincipalKind.User, "per_1", "Ann"), Role.Member);

    [Theory]
    [InlineData("hi", "demo/fast", "3b390fc5a641397bd2527c8047d28bd5d718b659a1acd432ffc724cf25312209")]
    [InlineData("hé€", null, "6babfceb0185a15639a923ff8252b8f121ddad4619e4cdf5bcd64783e37c50ad")]
    public void A_message_is_remembered_as_it_always_was(string text, string? model, string expected) =>
        Assert.Equal(expected, RequestIds.Identity(Tenant, "key", text, model, retryOf: null)!.BodyHash);

    [Fact]
    public void Parts_that_read_alike_in_a_row_are_told_apart()
    {
        Assert.NotEqual(Hash("ab", "c"), Hash("a", "bc"));
        Assert.NotEqual(Hash("a", ""), Hash("a", null));

        static string Hash(string text, string? model) => RequestIds.Identity(Tenant, "key", text, model, retryOf: null)!.BodyHash;
    }
}
