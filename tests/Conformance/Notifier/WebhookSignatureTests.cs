using Coordinator.Ports.Record;
using Xunit;

namespace Coordinator.Tests.Conformance.Notifier;

/// <summary>The published example of the Standard Webhooks specification: what others check and sign, we do.</summary>
public sealed class WebhookSignatureTests
{
    private const string Id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    private const string Timestamp = "1614265330";
    private const string Signature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

    private static readonly DateTimeOffset Then = DateTimeOffset.FromUnixTimeSeconds(1_614_265_330);

    [Theory]
    [InlineData(Signature, true)]
    [InlineData("v1,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= " + Signature, true)]
    [InlineData("v2,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", false)]
    [InlineData("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1O", false)]
    [InlineData("v1,", false)]
    [InlineData("", false)]
    public void The_published_signature_is_known(string signatures, bool isKnown)
    {
        Assert.True(WebhookSecret.TryParse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", out var secret));

        Assert.Equal(isKnown, WebhookSignature.Verify(Id, Timestamp, signatures, """{"test": 2432232314}"""u8, secret, Then));
        Assert.False(WebhookSignature.Verify(Id, Timestamp, signatures, """{"test":2432232314}"""u8, secret, Then));
    }

    [Theory]
    [InlineData("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", true)]
    [InlineData("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", false)]
    [InlineData("whsec_c2hvcnQ=", false)]
    [InlineData("whsec_not base64", false)]
    [InlineData("", false)]
    [InlineData(null, false)]
    public void Only_a_secret_that_is_long_enough_is_one(string? text, bool isOne)
    {
        Assert.Equal(isOne, WebhookSecret.TryParse(text, out var secret));
        Assert.Equal(isOne ? text : null, secret?.Reveal());
    }
}
