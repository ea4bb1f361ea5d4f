using System.Globalization;
using System.Runtime.Versioning;
using Coordinator.Adapters.Modal;
using Coordinator.Ports.Compute;
using Coordinator.SandboxHost;
using Coordinator.Tests.Support.Network;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Coordinator.Tests.Conformance.SandboxProvider;

/// <summary>The Modal adapter, real HTTP over loopback, a sandbox host, and real local boxes behind it.</summary>
[SupportedOSPlatform("linux")]
internal sealed class ModalRig : ISandboxRig
{
    public const string KeyId = "test";
    public const string Secret = "a secret of the tests, long enough";

    private readonly List<ServiceProvider> adapters = [];
    private readonly Action<IServiceCollection>? replace;
    private WebApplication? host;

    /// <param name="replace">What of the sandbox host is another for a test, such as its clock.</param>
    public ModalRig(Action<IServiceCollection>? replace = null) => this.replace = replace;

    public LocalRig Local { get; } = new();

    /// <summary>Where the sandbox host serves; the same after a restart.</summary>
    public Uri Url { get; private set; } = new(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{LoopbackPort.Find()}"));

    public string HostDirectory => Path.Combine(Local.Root, "sandbox-host");

    public WebApplication Host => host ?? throw new InvalidOperationException("The sandbox host does not run.");

    public ISandboxProvider Provider => adapters[^1].GetRequiredService<ISandboxProvider>();

    /// <summary>Starts a sandbox host, at an address when one is given, and an adapter that uses it.</summary>
    public async Task StartAsync(Uri? at = null)
    {
        Url = at ?? Url;
        await StartHostAsync();
        Connect(Url);
    }

    /// <summary>Starts a sandbox host on the same data; the port is the same when it ran before.</summary>
    public async Task StartHostAsync(params (string Name, string Value)[] overrides)
    {
        string[] own = [$"--SandboxHost:DataDirectory={HostDirectory}", $"--SandboxHost:Urls={Url.GetLeftPart(UriPartial.Authority)}", $"--SandboxHost:Keys:{KeyId}={Secret}", "--Logging:LogLevel:Default=Error"];
        host = SandboxHostProgram.Build([.. own, .. Local.Settings.Select(setting => $"--{setting.Key}={setting.Value}"), .. overrides.Select(setting => $"--{setting.Name}={setting.Value}")], replace);
        await SandboxHostProgram.StartAsync(host, CancellationToken.None);
        Url = new(host.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single(address => !address.Contains("unix:", StringComparison.Ordinal)));
    }

    public async Task StopHostAsync()
    {
        if (host is null) return;
        await host.StopAsync();
        await host.DisposeAsync();
        host = null;
    }

    /// <summary>Another adapter, as of another control plane process; it is the one that is used from now on.</summary>
    public ISandboxProvider Connect(params Uri[] urls) => Connect([], urls);

    public ISandboxProvider Connect((string Name, string Value)[] overrides, params Uri[] urls)
    {
        Dictionary<string, string?> settings = new()
        {
            ["Sandbox:Modal:KeyId"] = KeyId,
            ["Sandbox:Modal:Secret"] = Secret,
            ["Sandbox:Modal:ControlPlaneUrl"] = "http://127.0.0.1:9",
        };
        for (var i = 0; i < urls.Length; i++) settings[$"Sandbox:Modal:Urls:{i}"] = urls[i].AbsoluteUri;
        foreach (var (name, value) in overrides) settings[$"Sandbox:Modal:{name}"] = value;
        adapters.Add(new ServiceCollection().AddLogging().AddModalSandbox(new ConfigurationBuilder().AddInMemoryCollection(settings).Build()).BuildServiceProvider());
        return Provider;
    }

    public ValueTask<int> StartsOfAsync(SandboxSpec spec) => Local.StartsOfAsync(spec);

    public ValueTask EndFromInsideAsync(SandboxSpec spec, int exitCode) => Local.EndFromInsideAsync(spec, exitCode);

    public ValueTask WriteAsync(SandboxSpec spec, string file, string text) => Local.WriteAsync(spec, file, text);

    public ValueTask<string?> ReadAsync(SandboxSpec spec, string file) => Local.ReadAsync(spec, file);

    public async ValueTask DisposeAsync()
    {
        foreach (var adapter in adapters) await adapter.DisposeAsync();
        await StopHostAsync();
        await Local.DisposeAsync();
    }
}
