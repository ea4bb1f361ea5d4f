using Coordinator.Cli.Commands;
using Xunit;

namespace Coordinator.Tests.Journey;

public sealed class LoginTests
{
    [Theory]
    [InlineData("http://127.0.0.1:9099/sign-in#sl_secret", "http://127.0.0.1:9099")]
    [InlineData("https://coordinator.example/sign-in#sl_secret", "https://coordinator.example")]
    [InlineData("sl_secret", null)]
    [InlineData("", null)]
    [InlineData(null, null)]
    public void A_whole_sign_in_link_says_which_host_it_is_for(string? link, string? host) => Assert.Equal(host, LoginCommand.HostOf(link));
}
