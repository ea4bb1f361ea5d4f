using System.Security.Cryptography;
using System.Text;
using Coordinator.Adapters.InProcess.Cluster;
using Coordinator.Ports;
using Coordinator.Ports.Compute.DataPlane;
using Coordinator.Ports.Identity;
using Coordinator.Tests.Support;
using Xunit;

namespace Coordinator.Tests.Conformance.SessionHost;

/// <summary>That what one host says to another counts once, however much is said.</summary>
public sealed class PeerSignerTests
{
    private const int Most = 3;
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private static readonly SignedRequest Request = new("POST", PeerClient.WaitsPath, "{}"u8.ToArray());

    private readonly ManualTime time = new();
    private readonly ManualTime askersTime = new();
    private readonly HostId self = HostId.New(TimeProvider.System);
    private readonly PeerSigner host;
    private readonly PeerSigner asker;

    public PeerSignerTests() => (host, asker) = (new(new Key(), time, Most), new(new Key(), askersTime));

    [Fact]
    public void However_many_requests_come_each_counts_and_none_of_them_twice()
    {
        List<string> said = [];
        for (var i = 0; i < 10 * Most; i++)
        {
            said.Add(Sign());
            Assert.True(IsTaken(said[^1]), $"request {i}");
            if (i % 2 == 0) Pass(Second);
        }

        Assert.DoesNotContain(said, IsTaken);
    }

    [Fact]
    public void Of_what_comes_late_only_that_is_refused_which_is_no_later_than_what_had_to_be_forgotten()
    {
        string[] late = [Sign(), Later(), Later(), Later()];
        var forgotten = Later();
        Assert.True(IsTaken(forgotten));
        var alsoLate = Sign();
        Assert.True(IsTaken(Later()));
        var inTime = Sign();
        Assert.True(IsTaken(Later()));
        Assert.True(IsTaken(Later()));

        Assert.DoesNotContain([.. late, forgotten, alsoLate], IsTaken);
        Assert.True(IsTaken(inTime));

        string Later()
        {
            Pass(Second);
            return Sign();
        }
    }

    [Fact]
    public void What_an_asker_says_whose_clock_is_ahead_is_remembered_until_it_is_out_of_time()
    {
        askersTime.Advance(RequestSignature.AllowedSkew);
        var said = Sign();
        Assert.True(IsTaken(said));

        for (var passed = 0; passed <= 2 * RequestSignature.AllowedSkew.TotalSeconds; passed++)
        {
            Assert.False(IsTaken(said), $"after {passed} s");
            Pass(Second);
        }

        Assert.False(IsTaken(said));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(-1)]
    public void What_an_asker_says_whose_clock_is_further_off_than_hosts_may_be_apart_is_refused(int direction)
    {
        askersTime.Skew = RequestSignature.AllowedSkew * direction;
        Assert.True(IsTaken(Sign()));

        askersTime.Skew += Second * direction;

        Assert.False(IsTaken(Sign()));
    }

    [Fact]
    public void A_clock_that_is_set_back_lets_nothing_in_again()
    {
        var said = Sign();
        Assert.True(IsTaken(said));
        Pass(RequestSignature.AllowedSkew + (2 * Second));
        Assert.True(IsTaken(Sign()));

        time.Skew = -RequestSignature.AllowedSkew;

        Assert.False(IsTaken(said));
    }

    private void Pass(TimeSpan by)
    {
        time.Advance(by);
        askersTime.Advance(by);
    }

    private string Sign() => asker.Sign(self, Request).ToString();

    private bool IsTaken(string signature) => host.Verify(self, signature, Request, out _) is null;

    private sealed class Key : ITokenSigner
    {
        public byte[] Sign(string purpose, ReadOnlySpan<byte> data) => HMACSHA256.HashData(SHA256.HashData(Encoding.UTF8.GetBytes(purpose)), data);
    }
}
