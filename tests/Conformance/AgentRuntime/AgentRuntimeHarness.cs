using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Coordinator.Tests.Support.Agents;
using Xunit;

namespace Coordinator.Tests.Conformance.AgentRuntime;

/// <summary>How the contract reaches one implementation: starts it, kills it, and knows which models were called.</summary>
public abstract class AgentRuntimeHarness : IAsyncLifetime
{
    public static readonly AgentModel Model = new("demo", "scripted-1", ModelWire.OpenAiChat, 128_000, 8_192);

    private readonly List<IAgentRuntime> started = [];
    private readonly string root = Path.Combine(Path.GetTempPath(), $"agents-{PrefixedId.NewValue(TimeProvider.System):n}");
    private IAgentRuntime? free;
    private IAgentRuntime? asking;

    /// <summary>Full names (<c>provider/model</c>), in the order of the calls.</summary>
    public abstract IReadOnlyList<string> ModelsCalled { get; }

    protected abstract string Executable { get; }

    protected abstract Uri ModelBaseUrl { get; }

    /// <summary>One runtime for all tests that neither ask for permission nor harm it.</summary>
    public async Task<IAgentRuntime> FreeAsync() => free ??= await StartAsync(NewHome());

    /// <summary>One runtime for all tests in which the agent has to ask.</summary>
    public async Task<IAgentRuntime> AskingAsync() => asking ??= await StartAsync(NewHome(), ask: true);

    public string NewHome()
    {
        var home = Path.Combine(root, $"{PrefixedId.NewValue(TimeProvider.System):n}");
        Directory.CreateDirectory(Path.Combine(home, "workspace"));
        return home;
    }

    public async Task<IAgentRuntime> StartAsync(string home, bool ask = false)
    {
        var runtime = Create();
        started.Add(runtime);
        await runtime.StartAsync(Launch(home, ask), CancellationToken.None);
        return runtime;
    }

    public AgentLaunch Launch(string home, bool ask = false) => new(
        Executable,
        Path.Combine(home, "workspace"),
        home,
        new Dictionary<string, string> { ["PATH"] = "/usr/local/bin:/usr/bin:/bin" },
        ModelBaseUrl,
        Model,
        ask,
        TimeSpan.FromSeconds(60));

    /// <summary>kill -9, from outside.</summary>
    public abstract void Kill(IAgentRuntime runtime);

    public abstract IAgentRuntime Create();

    public virtual Task InitializeAsync() => Task.CompletedTask;

    public virtual async Task DisposeAsync()
    {
        foreach (var runtime in started) await runtime.DisposeAsync();
        if (Directory.Exists(root)) Directory.Delete(root, recursive: true);
    }
}
