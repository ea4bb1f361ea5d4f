using Coordinator.Fakes.Compute;
using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Coordinator.Sandbox;
using Coordinator.Sandbox.Agent;
using Coordinator.Sandbox.Bridge;
using Coordinator.Sandbox.Commands;
using Coordinator.Sandbox.Configuration;
using Coordinator.Sandbox.Storage;

namespace Coordinator.Tests.Modules.Box.Journeys;

/// <summary>The whole box but for its process: a real spool, real sockets, real git, and an agent that plays a script.</summary>
internal sealed class TestBox : IAsyncDisposable
{
    private readonly TempFolder folder = new();
    private readonly SandboxId sandbox = SandboxId.New(TimeProvider.System);
    private CancellationTokenSource? stop;
    private BoxState? state;
    private Task<BridgeVerdict>? life;

    public TestBox()
    {
        Host = new FakeControlPlane(folder["h.sock"]);
        NewRuntime = () => new ScriptedAgentRuntime(AgentStore, TimeProvider.System, Script);
    }

    public FakeControlPlane Host { get; }

    public ScriptedAgentStore AgentStore { get; } = new();

    public AgentScript? Script { get; set; }

    public NewRuntime NewRuntime { get; set; }

    public BoxParts? Parts { get; private set; }

    public StringWriter Log { get; } = new();

    public int Generation { get; set; } = 1;

    public string Workspace => folder["workspace"];

    public string Folder => folder.Path;

    public string SpoolFolder => state!.SpoolFolder;

    public Task<BridgeVerdict> Life => life!;

    public static string NewMessage() => MessageId.New(TimeProvider.System).ToString();

    public async Task<TestBox> StartAsync(bool host = true)
    {
        if (host) await Host.StartAsync();
        var configuration = new BoxConfiguration
        {
            Endpoint = $"unix:{folder["h.sock"]}",
            Token = "sb_org.ses.box.1.canary-secret",
            Sandbox = sandbox,
            Generation = Generation,
            Workspace = Workspace,
            Home = Directory.CreateDirectory(folder["home"]).FullName,
            State = folder["home/.coordinator"],
            Agents = new Dictionary<string, string> { ["scripted"] = "/scripted" },
        };
        state = BoxState.TryOpen(configuration.State, sandbox.ToString(), Generation) ?? throw new InvalidOperationException("The state is in use.");
        stop = new CancellationTokenSource();
        Parts = new BoxParts(configuration, state, TimeProvider.System, new BoxLog(Log, TimeProvider.System));
        life = BoxLife.RunAsync(Parts, _ => new AvailableAgent(NewRuntime, "/scripted"), stop.Token);
        return this;
    }

    /// <summary>Ends the box in good order and leaves its disk.</summary>
    public async Task<BridgeVerdict> StopAsync()
    {
        await stop!.CancelAsync();
        return await EndAsync();
    }

    public async Task<BridgeVerdict> EndAsync()
    {
        var verdict = await life!.WaitAsync(TimeSpan.FromSeconds(60));
        await Parts!.DisposeAsync();
        state!.Dispose();
        stop!.Dispose();
        stop = null;
        return verdict;
    }

    public async ValueTask DisposeAsync()
    {
        if (stop is not null) await StopAsync();
        await Host.DisposeAsync();
        folder.Dispose();
    }
}
