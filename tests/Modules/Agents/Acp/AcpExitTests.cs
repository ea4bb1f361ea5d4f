using System.Globalization;
using Coordinator.Adapters.Acp;
using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Coordinator.Sandbox.Processes;
using Coordinator.Tests.Modules.Box;
using Xunit;

namespace Coordinator.Tests.Modules.Agents.Acp;

/// <summary>Agents whose process and whose output do not end together, as programs that claim to be one do.</summary>
public sealed class AcpExitTests : IAsyncLifetime
{
    private const string Say = """{"jsonrpc":"2.0","method":"session/update","params":{"sessionId":"s1","update":{"sessionUpdate":"agent_message_chunk","content":{"type":"text","text":"Last words."}}}}""";
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);
    private static readonly AgentModel Model = new("demo", "scripted", ModelWire.OpenAiChat, 1000, 100);

    private readonly TempFolder folder = new();
    private AcpRuntime runtime = null!;

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        await runtime.DisposeAsync();
        if (File.Exists(folder["left"])) Signals.Send(int.Parse(await File.ReadAllTextAsync(folder["left"]), CultureInfo.InvariantCulture), Signal.Kill);
        folder.Dispose();
    }

    [Fact]
    public async Task An_agent_that_dies_while_what_it_started_holds_its_output_open_has_crashed_after_its_last_words()
    {
        await StartAsync($"sleep 600 & printf %s $! > {folder["left"]}; echo '{Say}'; kill -9 $$");

        var updates = await TurnAsync(CancellationToken.None);

        Assert.Equal("Last words.", Assert.Single(updates.OfType<AgentUpdate.Text>()).Delta);
        var ended = Assert.IsType<AgentUpdate.TurnEnded>(updates[^1]);
        Assert.Equal((TurnOutcome.Failed, "agent_crashed"), (ended.Outcome, ended.Code));
        Assert.Contains("137", ended.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_turn_of_an_agent_that_closed_its_output_and_lives_on_can_be_given_up()
    {
        await StartAsync("exec sleep 600 >&-");
        using var given = new CancellationTokenSource();

        var turn = TurnAsync(given.Token);
        await Assert.ThrowsAsync<PortException>(() => runtime.OpenAsync(null, CancellationToken.None).AsTask().WaitAsync(Limit)); // its output has ended
        await given.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => turn);
    }

    private async Task StartAsync(string script)
    {
        var environment = new Dictionary<string, string> { ["PATH"] = "/usr/bin:/bin", ["STUB_SCRIPT"] = script };
        var profile = new AcpAgentProfile("stub", [], (_, _) => environment);
        runtime = new AcpRuntime(profile, TimeProvider.System);
        var program = Path.Combine(AppContext.BaseDirectory, "Agents", "Acp", "stub-acp.sh");
        await runtime.StartAsync(new AgentLaunch(program, folder.Path, folder.Path, environment, new Uri("http://127.0.0.1:1/model/v1"), Model, false, Limit), CancellationToken.None);
        await runtime.OpenAsync(null, CancellationToken.None);
    }

    private async Task<List<AgentUpdate>> TurnAsync(CancellationToken cancellationToken)
    {
        var updates = new List<AgentUpdate>();
        await FollowAsync().WaitAsync(Limit, CancellationToken.None);
        return updates;

        async Task FollowAsync()
        {
            await foreach (var update in runtime.PromptAsync(new AgentPrompt("do it", Model, null), cancellationToken)) updates.Add(update);
        }
    }
}
