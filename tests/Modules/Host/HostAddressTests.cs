using Coordinator.Host.Starting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Configuration;
using Xunit;

namespace Coordinator.Tests.Modules.Host;

/// <summary>Where a host says that it serves: of several behind one address each names its own.</summary>
public sealed class HostAddressTests
{
    [Theory]
    [InlineData("http://127.0.0.1:8787", null, "http://127.0.0.1:8787")]
    [InlineData("http://[::]:8787", null, "http://localhost:8787")]
    [InlineData("http://127.0.0.1:8787", "http://127.0.0.1:8787/", "http://127.0.0.1:8787")]
    [InlineData("http://0.0.0.0:8787", "https://coordinator.example", "http://localhost:8787, for people at https://coordinator.example")]
    [InlineData("http://unix:/tmp/host.sock", "https://coordinator.example", "https://coordinator.example")]
    public void A_host_says_where_it_listens_and_the_address_for_people_beside_it(string listens, string? publicUrl, string said)
    {
        using var server = new Listening(listens);
        var address = new HostAddress(server, new ConfigurationBuilder().AddInMemoryCollection([new("PublicUrl", publicUrl)]).Build());

        Assert.Equal(said, address.Served);
    }

    private sealed class Listening : IServer
    {
        public Listening(string address)
        {
            var addresses = new ServerAddressesFeature();
            addresses.Addresses.Add(address);
            Features.Set<IServerAddressesFeature>(addresses);
        }

        public IFeatureCollection Features { get; } = new FeatureCollection();

        public Task StartAsync<TContext>(IHttpApplication<TContext> application, CancellationToken cancellationToken)
            where TContext : notnull => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public void Dispose()
        {
        }
    }
}
