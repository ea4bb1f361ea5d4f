using Coordinator.Sandbox.Bridge;
using Coordinator.Sandbox.Configuration;
using Coordinator.Sandbox.Events;
using Coordinator.Sandbox.HostLink;
using Coordinator.Sandbox.Processes;
using Coordinator.Sandbox.Shim;
using Coordinator.Sandbox.Storage;

namespace Coordinator.Sandbox.Commands;

/// <summary>The parts of a box that live as long as it does, put together.</summary>
internal sealed class BoxParts : IAsyncDisposable
{
    private readonly HostConnection host;
    private readonly GatewayToken token;
    private readonly BridgeStore store;

    public BoxParts(BoxConfiguration configuration, BoxState state, TimeProvider time, BoxLog log)
    {
        Configuration = configuration;
        State = state;
        Time = time;
        Log = log;
        Redactor = new Redactor();
        Redactor.Add(configuration.Token);
        Lifecycle = new LifecycleEvents(Redactor);
        Identity = new BoxIdentity(configuration.Sandbox, configuration.Generation);
        Endpoint = HostEndpoint.TryParse(configuration.Endpoint) ?? throw new InvalidOperationException("The configuration was not checked.");
        host = new HostConnection(Endpoint, configuration.Token);
        token = new GatewayToken(host, Redactor, time);
        Models = new ModelRoute(new HostCaller(host, token, time, log), log);
        Loopback = new LoopbackServer(Models, new EgressProxy(new EgressTunnel(host, time), time), new CredentialRoute(new GitCredentials(host, Redactor, time)), time, log);
        Artifacts = new ArtifactUpload(host, time, log);
        store = BridgeStore.Open(state, NewSpoolId);
        Bridge = new BridgeClient(store.NewMachine(Identity, Lifecycle, NewSpoolId), store, Orders, log);
        Dialer = new WebSocketDialer(host, time);
        EndProcesses = () => ProcessFamily.EndAsync(Environment.ProcessId, time);
    }

    public BoxConfiguration Configuration { get; }

    public BoxState State { get; }

    public TimeProvider Time { get; }

    public BoxLog Log { get; }

    public Redactor Redactor { get; }

    public LifecycleEvents Lifecycle { get; }

    public BoxIdentity Identity { get; }

    public HostEndpoint Endpoint { get; }

    public OrderQueue Orders { get; } = new();

    public ModelRoute Models { get; }

    public LoopbackServer Loopback { get; }

    public ArtifactUpload Artifacts { get; }

    public BridgeClient Bridge { get; }

    public WebSocketDialer Dialer { get; }

    /// <summary>Ends everything that the agent started and what it left behind: all that runs below this program.</summary>
    public Func<Task> EndProcesses { get; set; }

    public async ValueTask DisposeAsync()
    {
        await Loopback.DisposeAsync();
        token.Dispose();
        host.Dispose();
        store.Dispose();
    }

    /// <summary>16 hex digits nobody has used before.</summary>
    private static string NewSpoolId() => Convert.ToHexStringLower(System.Security.Cryptography.RandomNumberGenerator.GetBytes(8));
}
