using System.Net;
using System.Net.Sockets;
using System.Text;
using Coordinator.Modules.Kernel;
using Coordinator.Modules.Sandboxes;
using Coordinator.Modules.Sandboxes.Egress;
using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Coordinator.Ports.Session;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;

namespace Coordinator.Tests.Modules.Sandboxes;

/// <summary>The module's endpoint on a real Kestrel, a name server that answers what a test says, and a server "outside".</summary>
internal sealed class EgressHost : IAsyncDisposable, IHostResolver
{
    private readonly TcpListener outside = new(IPAddress.Loopback, 0);
    private readonly WebApplication app;

    private EgressHost(TimeProvider time, params (string Name, string Value)[] settings)
    {
        outside.Start();
        var builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        builder.Configuration.AddInMemoryCollection(settings.Append(("Exceptions:0", $"outside.test:{OutsidePort}=127.0.0.1"))
            .ToDictionary(setting => $"Sandbox:Egress:{setting.Item1}", setting => (string?)setting.Item2));
        builder.Services.AddSingleton(time).AddSingleton<ISessionHost>(Sessions).AddSingleton<IBoxTokenScheme>(new StubTokens())
            .AddSingleton<ISandboxProvider>(new Fakes.InMemorySandboxProvider(TimeProvider.System))
            .AddKernel()
            .AddSandboxesModule(builder.Configuration)
            .AddSingleton<OpenEgressTunnel>()
            .Replace(ServiceDescriptor.Singleton<IHostResolver>(this));
        app = builder.Build();
        app.Services.GetRequiredService<OpenEgressTunnel>().Map(app);
    }

    public StubSessions Sessions { get; } = new();

    public Dictionary<string, IPAddress[]> Names { get; } = [];

    public List<string> Asked { get; } = [];

    public SandboxId Sandbox { get; } = SandboxId.New(TimeProvider.System);

    public SessionKey Key { get; } = new(OrganizationId.New(TimeProvider.System), SessionId.New(TimeProvider.System));

    public int OutsidePort => ((IPEndPoint)outside.LocalEndpoint).Port;

    public EgressTunnels Tunnels => app.Services.GetRequiredService<EgressTunnels>();

    public static async Task<EgressHost> StartAsync(TimeProvider? time = null, params (string Name, string Value)[] settings)
    {
        var host = new EgressHost(time ?? TimeProvider.System, settings);
        await host.app.StartAsync();
        return host;
    }

    public ValueTask<IReadOnlyList<IPAddress>> ResolveAsync(string host, CancellationToken cancellationToken)
    {
        Asked.Add(host);
        return new(Names.GetValueOrDefault(host, []));
    }

    public Task<TcpClient> AcceptAsync() => outside.AcceptTcpClientAsync().WaitAsync(TimeSpan.FromSeconds(20));

    /// <summary>Asks for a tunnel as a box does; returns the connection and the status of the answer.</summary>
    public async Task<(TcpClient Connection, int Status, string Body)> AskAsync(string host, int port, string? token = null, string upgrade = "tcp")
    {
        var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, new Uri(app.Urls.First()).Port);
        token ??= new StubTokens().TokenFor(Key, Sandbox, 1);
        var request = $"GET /v1/bridge/egress?host={Uri.EscapeDataString(host)}&port={port} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\nConnection: Upgrade\r\nUpgrade: {upgrade}\r\n\r\n";
        await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(request));
        var head = await ReadHeadAsync(client.GetStream());
        var status = int.Parse(head.Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture);
        return (client, status, status == 101 ? string.Empty : await ReadBodyAsync(client.GetStream()));
    }

    public async Task StopAsync() => await app.StopAsync();

    public async ValueTask DisposeAsync()
    {
        outside.Stop();
        await app.DisposeAsync();
    }

    private static async Task<string> ReadHeadAsync(NetworkStream stream)
    {
        var head = new StringBuilder();
        var one = new byte[1];
        while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal) && await stream.ReadAsync(one).AsTask().WaitAsync(TimeSpan.FromSeconds(20)) == 1) head.Append((char)one[0]);
        return head.ToString();
    }

    private static async Task<string> ReadBodyAsync(NetworkStream stream)
    {
        var buffer = new byte[8192];
        return Encoding.UTF8.GetString(buffer, 0, await stream.ReadAsync(buffer));
    }
}
