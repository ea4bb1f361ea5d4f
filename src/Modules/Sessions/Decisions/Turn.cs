using System.Text.Json;
using Coordinator.Modules.Sessions.Events;
using Coordinator.Modules.Sessions.Facts;
using Coordinator.Modules.Sessions.State;
using Coordinator.Ports;
using Coordinator.Ports.Session;

namespace Coordinator.Modules.Sessions.Decisions;

/// <summary>
/// What one record gathers while it is decided: facts, the events that show them, and the speculative state after
/// them. Deciders refuse before they record anything, so a refusal leaves no trace; but for that of a box which it ends (<see cref="BoxDecisions.Authorize"/>).
/// </summary>
public sealed class Turn(SessionState state, DateTimeOffset now, SessionLimits limits)
{
    private static readonly byte[] EmptyData = "{}"u8.ToArray();

    private readonly List<Fact> facts = [];
    private bool isClaimed;
    private long factWeight;

    public SessionState State { get; private set; } = state;

    /// <summary>Never earlier than the last record.</summary>
    public DateTimeOffset Now { get; private set; } = now < state.LastAt ? state.LastAt : now;

    public SessionLimits Limits { get; } = limits;

    public IReadOnlyList<Fact> Facts => facts;

    public EventBuffer Events { get; } = new();

    /// <summary>How large the record grows by what is said, in bytes.</summary>
    public long Weight => Events.Utf8.Length + factWeight;

    /// <summary>How much of that the box said.</summary>
    public long FromBox { get; internal set; }

    /// <summary>Something was recorded beyond the box's progress and text, so that the view differs.</summary>
    public bool ChangesView { get; private set; }

    /// <summary>What this record discovers of the repository's environment, for the sessions to come.</summary>
    public RepositoryEnvironment? Discovery => State is { Settings.Repository: { } repository, Environment: { } environment } && facts.Exists(f => f is Fact.EnvironmentDetected)
        ? new(repository.Url, environment)
        : null;

    /// <summary>Nothing is to be written.</summary>
    public bool IsEmpty => facts.Count == 0 && !isClaimed;

    /// <summary>
    /// Has the record written even if it holds no fact, so that what is answered stands on a commit: only the session's
    /// holder can make one, and a host that was fenced and does not know it must not answer from what it remembers.
    /// </summary>
    public void Claim() => isClaimed = true;

    /// <summary>A later step of the same record has a later clock.</summary>
    public void Advance(DateTimeOffset now)
    {
        if (now > Now) Now = now;
    }

    public void Record(Fact fact)
    {
        if (fact is Fact.BridgeAdvanced && facts.Count > 0 && facts[^1] is Fact.BridgeAdvanced) facts[^1] = fact;
        else facts.Add(fact);
        factWeight += FactWeight.Of(fact);
        ChangesView |= fact is not (Fact.BridgeAdvanced or Fact.BridgeSpoolOpened or Fact.GraceGiven);
        State = Evolver.Apply(State, fact);
    }

    public void Show(string type, MessageId? message = null, Action<Utf8JsonWriter>? data = null) =>
        ShowRaw(type, message, data is null ? EmptyData : EventData.Write(data));

    /// <summary>Shows an event whose data is JSON already.</summary>
    public void ShowRaw(string type, MessageId? message, ReadOnlySpan<byte> data)
    {
        var seq = State.Seq + 1;
        var envelope = Events.Append(State.Incarnation, seq, Now, type, message, data);
        State = Evolver.Shown(State, seq, envelope);
    }
}
