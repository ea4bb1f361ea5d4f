using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Coordinator.Sandbox.Events;

namespace Coordinator.Sandbox.Agent;

/// <summary>
/// Tells the control plane what the agent does in one turn, in the order it does it: text gathered, output as deltas,
/// large results cut with the whole kept as an artifact. Used by one caller at a time.
/// </summary>
internal sealed class TurnReport(MessageId message, IBoxEvents events, Redactor redactor, TimeProvider time)
{
    private readonly AgentEvents shape = new(redactor);
    private readonly TextCoalescer text = new(message, redactor);
    private readonly Dictionary<string, ToolOutputDeltas> tools = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> heldOutput = new(StringComparer.Ordinal);
    private long heldSince;

    /// <summary>Whether anything a person could see was told.</summary>
    public bool ShowedSomething { get; private set; }

    /// <summary>How long what is held may be held; null when nothing is.</summary>
    public TimeSpan? HeldFor => !text.IsHolding && heldOutput.Count == 0 ? null : Remaining();

    public void Text(AgentUpdate.Text update) => AddText(false, update.Part, update.Offset, update.Delta);

    public void Reasoning(AgentUpdate.Reasoning update) => AddText(true, update.Part, update.Offset, update.Delta);

    public void ToolOutput(AgentUpdate.ToolOutput update)
    {
        Send(text.Flush());
        Holding();
        heldOutput[update.CallId] = update.OutputSoFar;
    }

    public void ToolStarted(AgentUpdate.ToolStarted update) => Tell(shape.ToolStarted(message, update));

    /// <summary>The whole output is kept first, so that whoever sees the event can fetch it.</summary>
    public async Task ToolCompletedAsync(AgentUpdate.ToolCompleted update, HostLink.IArtifactUpload artifacts, CancellationToken cancellationToken)
    {
        Flush();
        tools.Remove(update.CallId);
        var whole = redactor.Clean(update.Output);
        var cut = OutputCutter.Cut(whole);
        var artifact = cut.Truncated ? await artifacts.StoreAsync(whole, cancellationToken) : null;
        Tell(shape.ToolCompleted(message, update, cut, artifact));
    }

    public void ToolFailed(AgentUpdate.ToolFailed update)
    {
        Tell(shape.ToolFailed(message, update));
        tools.Remove(update.CallId);
    }

    public void Plan(AgentUpdate.Plan update) => Tell(shape.Plan(message, update));

    public void FileChanged(AgentUpdate.FileChanged update) => Tell(shape.FileChanged(message, update));

    public void Retrying(AgentUpdate.Retrying update)
    {
        Flush();
        events.Emit(shape.Retrying(message, update));
    }

    public BoxEvent PermissionAsked(PermissionId permission, AgentUpdate.PermissionAsked update)
    {
        Flush();
        return shape.PermissionAsked(message, permission, update);
    }

    /// <summary>Lets go of everything that is held.</summary>
    public void Flush()
    {
        Send(text.Flush());
        foreach (var (callId, output) in heldOutput)
        {
            if (!tools.TryGetValue(callId, out var deltas)) tools[callId] = deltas = new ToolOutputDeltas(message, callId, redactor);
            Send(deltas.Advance(output));
        }

        heldOutput.Clear();
    }

    private void AddText(bool reasoning, string part, int offset, string delta)
    {
        if (heldOutput.Count > 0) Flush();
        Holding();
        ShowedSomething |= delta.Length > 0;
        Send(text.Add(reasoning, part, offset, delta));
    }

    private void Tell(BoxEvent happened)
    {
        Flush();
        ShowedSomething = true;
        events.Emit(happened);
    }

    private void Holding()
    {
        if (!text.IsHolding && heldOutput.Count == 0) heldSince = time.GetTimestamp();
    }

    private TimeSpan Remaining() => TextCoalescer.Hold - time.GetElapsedTime(heldSince) is var left && left > TimeSpan.Zero ? left : TimeSpan.Zero;

    private void Send(IReadOnlyList<BoxEvent> ready)
    {
        foreach (var happened in ready) events.Emit(happened);
    }
}
