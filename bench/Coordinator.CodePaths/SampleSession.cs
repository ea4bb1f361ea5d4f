using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Coordinator.Modules.Sessions;
using Coordinator.Modules.Sessions.Actor;
using Coordinator.Modules.Sessions.State;
using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Coordinator.Ports.Session;

namespace Coordinator.CodePaths;

/// <summary>
/// A session without a host around it: its machine is stepped by hand, and what it wants appended is durable at once. It is brought to where
/// a benchmark begins: a ready box and nothing to do, or a turn that runs.
/// </summary>
public sealed class SampleSession
{
    private const long Link = 1;

    private readonly List<SessionOutput> outputs = [];
    private readonly ISessionMachine machine;
    private long lastCall;
    private long lastEvent;
    private long lastSeq;

    public SampleSession()
    {
        machine = new SessionMachineFactory(SessionLimits.Default, Tokens).Create(Lease);
        Call(new SessionCommand.Create(Ada, new("openai/gpt-5", "opencode", null, PermissionMode.Auto), "A session"));
        Call(Prompt(1));
        var create = outputs.OfType<SessionOutput.StartEffect>().Select(started => started.Effect).OfType<SessionEffect.CreateSandbox>().Single();
        Step(new SessionInput.EffectSettled($"create:{create.Sandbox}", new EffectOutcome.SandboxCreated(new("sample", create.Sandbox.ToString(), null))));
        Step(new SessionInput.BridgeAttached(Link, ++lastCall, new(create.Sandbox, create.Generation, Tokens.HashFor(Lease.Key, create.Sandbox, create.Generation)), new(1, 1, create.Sandbox, create.Generation, "00112233445566ff", [], [])));
        Box("boot.ready", null, """{"agent":{"name":"opencode","version":"1"},"resumed":false,"elapsedMs":1}""");
        Box("message.accepted", Message(1), "{}");
    }

    /// <summary>Whoever asks.</summary>
    public static Principal Ada { get; } = new(PrincipalKind.User, "usr_ada", "Ada");

    /// <summary>The clock of every step.</summary>
    public static DateTimeOffset Now { get; } = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    /// <summary>The box's tokens.</summary>
    public static IBoxTokenScheme Tokens { get; } = new SampleTokens();

    /// <summary>The lease that the machine was made under.</summary>
    public static JournalLease Lease { get; } = new(new(new(Guid.Parse("01890000-0000-7000-8000-000000000001")), new(Guid.Parse("01890000-0000-7000-8000-000000000002"))), default, 1, 0, 0, 1);

    /// <summary>Everything that was appended so far.</summary>
    public List<JournalRecord> Journal { get; } = [];

    /// <summary>The message with this number.</summary>
    public static MessageId Message(int number) => new(PrefixedId.Derive("sample", number.ToString(CultureInfo.InvariantCulture)));

    /// <summary>A prompt of 50 characters.</summary>
    public static SessionCommand.Prompt Prompt(int number) => new(Ada, Message(number), null, "Please look at why the build is red and mend it.  ", null, null);

    /// <summary>The state that the journal tells.</summary>
    public SessionState Fold() => Journal.Aggregate(SessionState.Initial(Lease.Key, Lease.Incarnation), Evolver.Apply);

    /// <summary>Ends the turn that runs.</summary>
    public void EndTurn() => Box("message.ended", Message(1), """{"outcome":"completed"}""");

    /// <summary>The next piece of text that the box says.</summary>
    public SessionInput NextPiece()
    {
        var offset = (lastEvent * 12).ToString(CultureInfo.InvariantCulture);
        return new SessionInput.BridgeReceived(Link, new BoxFrame.Event(++lastEvent, "agent.text", Message(1), Encoding.UTF8.GetBytes($$"""{"part":"p1","offset":{{offset}},"text":"twelve chars"}""")));
    }

    /// <summary>Takes one input, and says that what it wants appended is durable; how much it put out.</summary>
    public int Step(SessionInput input)
    {
        outputs.Clear();
        machine.Step(input, Now, outputs);
        for (var i = 0; i < outputs.Count; i++)
            if (outputs[i] is SessionOutput.Append append) Commit(append.Record);
        return outputs.Count;
    }

    /// <summary>Takes inputs of which the first is appended alone, and what the others say, which come meanwhile, together.</summary>
    public int StepTogether(IReadOnlyList<SessionInput> inputs)
    {
        outputs.Clear();
        foreach (var input in inputs) machine.Step(input, Now, outputs);
        for (var i = 0; i < outputs.Count; i++)
            if (outputs[i] is SessionOutput.Append append) Commit(append.Record);
        return outputs.Count;
    }

    private void Call(SessionCommand command) => Step(new SessionInput.Called(++lastCall, command));

    private void Box(string kind, MessageId? message, string data) =>
        Step(new SessionInput.BridgeReceived(Link, new BoxFrame.Event(++lastEvent, kind, message, Encoding.UTF8.GetBytes(data))));

    private void Commit(JournalAppend append)
    {
        var first = lastSeq + 1;
        lastSeq += append.EventCount;
        Journal.Add(new(append.ExpectedVersion + 1, first, lastSeq, JournalRecord.CurrentSchema, RecordEvents.JsonCodec, append.Payload, append.At));
        machine.Step(new SessionInput.Committed(append.ExpectedVersion + 1), Now, outputs);
    }

    private sealed class SampleTokens : IBoxTokenScheme
    {
        public string TokenFor(SessionKey key, SandboxId sandbox, int generation) => string.Create(CultureInfo.InvariantCulture, $"sb_{key.Organization}.{key.Session}.{sandbox}.{generation}.secret");

        public byte[] HashFor(SessionKey key, SandboxId sandbox, int generation) => SHA256.HashData(Encoding.UTF8.GetBytes(TokenFor(key, sandbox, generation)));
    }
}
