using System.Text;
using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Coordinator.Sandbox.Bridge;
using Coordinator.Sandbox.Events;
using Coordinator.Tests.Simulation.World;

namespace Coordinator.Tests.Simulation.Box;

/// <summary>
/// What runs behind the bridge in a box: the boot, then one turn after another, each a few updates, sometimes a question.
/// It may hang, ignore a cancel, or fail.
/// </summary>
internal sealed class SimAgent(SimWorld world, SimBox box, LifecycleEvents lifecycle) : IBridgeOrders
{
    private static readonly byte[] Text = Encoding.UTF8.GetBytes("""{"part":"prt_1","offset":0,"text":"word"}""");
    private static readonly byte[] Tool = Encoding.UTF8.GetBytes("""{"callId":"call_1","tool":"bash","title":"ls","input":{"command":"ls"}}""");
    private static readonly byte[] Environment = Encoding.UTF8.GetBytes("""{"environment":{"languages":["csharp"],"commit":"abc"}}""");

    private bool isConfigured;
    private bool isBooted;
    private bool isDead;
    private bool isHung;
    private int turns;
    private int left;
    private int questions;
    private int takenAfterRestores;
    private PromptRequest? current;
    private PermissionId? asking;

    /// <summary>The message it was given and has not ended.</summary>
    public MessageId? Current => current?.Message;

    /// <summary>The message whose turn the agent is in.</summary>
    public MessageId? Running => isBooted ? current?.Message : null;

    /// <summary>Its next turns: never end; ignore a cancel; fail.</summary>
    public bool IsToHang { get; set; }

    public bool IsToIgnoreCancel { get; set; }

    public bool IsToFail { get; set; }

    public bool IsBootToFail { get; set; }

    /// <summary>The program dies when it has just taken a message.</summary>
    public bool IsToRestartWhenAccepted { get; set; }

    public void Configure(BoxSettings settings)
    {
        if (isConfigured) return;
        isConfigured = true;
        foreach (var phase in (string[])["clone", "install", "agent"])
            box.Happened(lifecycle.Phase(new PhaseReport(phase, "started")));
        box.After(box.Dice.Between(TimeSpan.FromMilliseconds(200), TimeSpan.FromSeconds(40)), Booted);
    }

    public void StartTurn(PromptRequest request)
    {
        current = request;
        takenAfterRestores = world.Database.Restores;
        turns++;
        if (IsToRestartWhenAccepted) box.After(TimeSpan.FromMilliseconds(box.Dice.Below(20)), () => box.Restart(losesPower: false));
        if (isBooted) Begin();
    }

    public void CancelTurn(MessageId message)
    {
        if (current?.Message != message || IsToIgnoreCancel) return;
        var turn = turns;
        box.After(box.Dice.Between(TimeSpan.FromMilliseconds(50), TimeSpan.FromSeconds(4)), () =>
        {
            if (turn == turns) End(MessageEnd.Cancelled);
        });
    }

    public void Decide(PermissionId permission, bool allow, string? note)
    {
        if (current is null) return;
        world.Audit.AgentToldDecision(box, permission, allow);
        var answered = asking == permission;
        if (answered) asking = null;
        var turn = turns;
        box.After(TimeSpan.FromMilliseconds(box.Dice.Below(300)), () =>
        {
            box.Step(new BridgeInput.Decided(permission));
            if (answered && turn == turns) Next();
        });
    }

    public void Shutdown(string reason) => box.Shutdown();

    /// <summary>The box ends: what runs is interrupted.</summary>
    public void StopForGood()
    {
        if (current is not null) End(MessageEnd.Failed("interrupted", "The box was stopped while this message ran."));
        isDead = true;
    }

    public void Die()
    {
        isDead = true;
        if (Running is { } message) world.Audit.AgentEnded(box, message);
        current = null;
    }

    private void Booted()
    {
        if (isDead) return;
        if (IsBootToFail)
        {
            box.Happened(lifecycle.BootFailed(new Problem("clone_failed", "Simulated.")));
            return;
        }

        box.Happened(new BoxEvent(EventKinds.EnvironmentDetected, null, Environment));
        box.Happened(LifecycleEvents.Ready(new AgentInfo("opencode", "1"), box.Resumes, TimeSpan.FromSeconds(1)));
        isBooted = true;
        if (current is not null) Begin();
    }

    private void Begin()
    {
        world.Audit.AgentStarted(box, current!.Message, isOfThisPast: takenAfterRestores == world.Database.Restores && box.Link is not { IsOfAnotherPast: true });
        (left, asking, isHung) = (1 + box.Dice.Below(6), null, IsToHang);
        IsToHang = false;
        Next();
    }

    private void Next()
    {
        if (isHung) return;
        var turn = turns;
        box.After(box.Dice.Between(TimeSpan.FromMilliseconds(5), TimeSpan.FromSeconds(8)), () =>
        {
            if (turn == turns && current is not null && !isDead) Go();
        });
    }

    private void Go()
    {
        if (left-- == 0)
        {
            End(IsToFail ? MessageEnd.Failed("agent_failed", "Simulated.") : new MessageEnd(TurnOutcome.Completed, null, null, AgentTokens.None));
            IsToFail = false;
            return;
        }

        var message = current!.Message;
        if (box.Dice.Percent(20))
        {
            Ask(message);
            return;
        }

        var burst = 1 + box.Dice.Below(4);
        for (var i = 0; i < burst; i++)
            box.Happened(i == 0 && box.Dice.Percent(30) ? new BoxEvent(EventKinds.ToolStarted, message, Tool) : new BoxEvent(EventKinds.AgentText, message, Text));
        Next();
    }

    private void Ask(MessageId message)
    {
        var permission = PermissionId.From(PrefixedId.Derive("permission", box.Sandbox.ToString(), Names.Text(box.Generation), message.ToString(), Names.Text(++questions)));
        asking = permission;
        box.Step(new BridgeInput.Asked(permission, new BoxEvent(EventKinds.PermissionAsked, message, EventJson.Write(json =>
        {
            json.WriteString("permissionId", permission.ToString());
            json.WriteString("permission", "bash");
            json.WriteStartArray("patterns");
            json.WriteStringValue($"cmd {questions % 3}");
            json.WriteEndArray();
        }))));
    }

    private void End(MessageEnd end)
    {
        if (current is not { } ending) return;
        if (isBooted) world.Audit.AgentEnded(box, ending.Message);
        (current, asking) = (null, null);
        turns++;
        box.Step(new BridgeInput.TurnOver(ending.Message, end));
    }
}
