using System.Diagnostics;
using System.Runtime.InteropServices;
using Coordinator.Fakes.Compute;
using Coordinator.Ports.Compute;
using Coordinator.Sandbox;
using Coordinator.Sandbox.Configuration;
using Coordinator.Sandbox.Events;
using Coordinator.Sandbox.HostLink;
using Coordinator.Sandbox.Processes;
using Coordinator.Sandbox.Shim;

namespace Coordinator.Tests.WalkingSkeleton.World;

/// <summary>How boxes of a world reach what they otherwise do not need.</summary>
/// <param name="Host">The host's routes for boxes, over HTTP.</param>
/// <param name="Certificates">The certificates that a box trusts, as a file of PEM.</param>
public sealed record BoxWay(Uri Host, string Certificates);

/// <summary>
/// Where a box's tools run commands: real processes in the environment that the box program makes for them, with its server
/// on loopback and its own program as git's credential helper. Nothing of this process's environment goes in but where
/// programs are found.
/// </summary>
internal sealed class BoxShell : IAsyncDisposable
{
    private readonly HostConnection host;
    private readonly GatewayToken token;
    private readonly LoopbackServer loopback;
    private readonly IReadOnlyDictionary<string, string> environment;
    private readonly string folder;

    public BoxShell(BoxWay way, SandboxSpec spec, Redactor redactor, string folder, TimeProvider time, BoxLog log)
    {
        this.folder = Directory.CreateDirectory(folder).FullName;
        var configuration = new BoxConfiguration
        {
            Endpoint = way.Host.AbsoluteUri,
            Token = spec.BridgeToken,
            Sandbox = spec.Sandbox,
            Generation = spec.Generation,
            Workspace = folder,
            Home = Directory.CreateDirectory(Path.Combine(folder, "home")).FullName,
            State = folder,
            Agents = new Dictionary<string, string>(),
        };
        host = new(HostEndpoint.TryParse(configuration.Endpoint)!, spec.BridgeToken);
        token = new(host, redactor, time);
        loopback = new(new ModelRoute(new HostCaller(host, token, time, log), log), new EgressProxy(new EgressTunnel(host, time), time), new CredentialRoute(new GitCredentials(host, redactor, time)), time, log);
        environment = ToolEnvironment.Build(configuration, Inherited(way), loopback.Port, Path.Combine(AppContext.BaseDirectory, "coordinator-box"));
    }

    /// <summary>Runs a command to its end; its output is what it wrote and what it complained of.</summary>
    public async Task<ScriptedOutcome> RunAsync(string command, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo("/bin/sh", ["-c", $"exec 2>&1; {command}"]) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardInput = true };
        start.Environment.Clear();
        foreach (var (name, value) in environment) start.Environment[name] = value;
        start.Environment["GIT_CONFIG_NOSYSTEM"] = "1";
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var output = await process.StandardOutput.ReadToEndAsync(cancellationToken);
        await process.WaitForExitAsync(cancellationToken);
        return new(process.ExitCode, output);
    }

    public async ValueTask DisposeAsync()
    {
        await loopback.DisposeAsync();
        token.Dispose();
        host.Dispose();
    }

    private static Dictionary<string, string> Inherited(BoxWay way) => new()
    {
        ["PATH"] = Environment.GetEnvironmentVariable("PATH") ?? "/usr/bin:/bin",
        ["DOTNET_ROOT"] = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", "..")),
        ["SSL_CERT_FILE"] = way.Certificates,
    };
}
