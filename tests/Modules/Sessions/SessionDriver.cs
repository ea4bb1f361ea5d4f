using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Coordinator.Modules.Sessions;
using Coordinator.Modules.Sessions.Actor;
using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Coordinator.Ports.Session;

namespace Coordinator.Tests.Modules.Sessions;

/// <summary>Drives one session's machine by hand on virtual time: commits when told to, keeps what was shown, replied and started.</summary>
internal sealed class SessionDriver
{
    public static readonly Principal Ada = new(PrincipalKind.User, "usr_ada", "Ada");
    public static readonly SessionSettings Settings = new("demo/scripted", "opencode", null, PermissionMode.Auto);

    private readonly List<SessionOutput> outputs = [];
    private readonly SessionLimits limits;
    private long lastCall;
    private long lastLink;
    private int messages;
    private ISessionMachine machine;

    public SessionDriver(SessionLimits? limits = null)
    {
        this.limits = limits ?? SessionLimits.Default;
        machine = Activate();
    }

    public SessionKey Key { get; } = new(new(Guid.Parse("01890000-0000-7000-8000-000000000001")), new(Guid.Parse("01890000-0000-7000-8000-000000000002")));

    /// <summary>The master keys of the host that has the session.</summary>
    public KeyedTokens Tokens { get; } = new();

    public DateTimeOffset Now { get; private set; } = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    public bool AutoCommit { get; set; } = true;

    /// <summary>Of the next activation: another one when the database went back.</summary>
    public int Incarnation { get; set; } = 1;

    public List<JournalRecord> Journal { get; } = [];

    public JournalAppend? InFlight { get; private set; }

    /// <summary>The environment that the last record to discover one told the journal.</summary>
    public RepositoryEnvironment? Discovered { get; private set; }

    public List<JsonElement> Shown { get; } = [];

    public Dictionary<long, Result<SessionReply>> Replies { get; } = [];

    public List<(long Link, HostFrame Frame)> Sent { get; } = [];

    public List<(long Link, string Model)> Expected { get; } = [];

    public List<(long Link, LinkCloseReason Reason)> ClosedLinks { get; } = [];

    public Dictionary<string, SessionEffect> Effects { get; } = [];

    public JsonElement View => JsonDocument.Parse(((SessionReply.View)Call(new SessionCommand.GetView()).Value).Session.Json).RootElement;

    public IEnumerable<string> Types => Shown.Select(e => e.GetProperty("type").GetString()!);

    public ISessionMachine Machine => machine;

    public DateTimeOffset? WakeAt => machine.WakeAt;

    /// <summary>A session that exists, with one prompt queued and its box wanted.</summary>
    public static SessionDriver WithPrompt(SessionLimits? limits = null)
    {
        var driver = new SessionDriver(limits);
        driver.Create();
        driver.Prompt("first");
        return driver;
    }

    /// <summary>A session whose box is ready and whose first message runs in it.</summary>
    public static SessionDriver Running(SessionLimits? limits = null)
    {
        var driver = WithPrompt(limits);
        driver.MakeReady();
        driver.Box("message.accepted", driver.Dispatched);
        return driver;
    }

    public MessageId Dispatched => Sent.Select(s => s.Frame).OfType<HostFrame.Prompt>().Last().Message;

    public long Link => lastLink;

    public bool HasBox => View.GetProperty("sandbox").GetProperty("generation").GetInt32() > 0;

    public int Generation => View.GetProperty("sandbox").GetProperty("generation").GetInt32();

    /// <summary>The last socket was not closed from the other end.</summary>
    public bool IsAttached => lastLink > 0 && Replies.Count > 0 && Sent.Exists(s => s.Link == lastLink) && ClosedLinks.TrueForAll(c => c.Link != lastLink);

    public bool HasDispatched => IsAttached && Sent.Exists(s => s.Frame is HostFrame.Prompt);

    public long N { get; set; }

    public string Spool { get; set; } = "spool-1";

    /// <summary>The spool that the box says it left because the session lacked what it had acknowledged of it.</summary>
    public string? RenewedFrom { get; set; }

    public void Create() => Call(new SessionCommand.Create(Ada, Settings, "A session"));

    public (MessageId Id, Result<SessionReply> Reply) Prompt(string text, string? clientId = null)
    {
        var id = new MessageId(PrefixedId.Derive("test", $"{++messages}"));
        var identity = clientId is null ? null : new RequestIdentity("User:ada", clientId, Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text))));
        return (id, Call(new SessionCommand.Prompt(Ada, id, identity, text, null, null)));
    }

    public Result<SessionReply> Call(SessionCommand command)
    {
        var id = ++lastCall;
        Step(new SessionInput.Called(id, command));
        return Replies.TryGetValue(id, out var reply) ? reply : default;
    }

    public static SandboxHandle Handle(SessionEffect.CreateSandbox create) => new("fake", create.Sandbox.ToString(), null);

    /// <summary>The provider makes the box, it calls back, boots and is ready.</summary>
    public void MakeReady(bool resumed = false)
    {
        var create = Effects.Values.OfType<SessionEffect.CreateSandbox>().Single();
        Settle($"create:{create.Sandbox}", new EffectOutcome.SandboxCreated(Handle(create)));
        Attach(create.Sandbox, create.Generation);
        Box("boot.ready", null, $$"""{"agent":{"name":"opencode","version":"1"},"resumed":{{(resumed ? "true" : "false")}},"elapsedMs":5}""");
    }

    public Result<SessionReply> Attach(SandboxId sandbox, int generation, IReadOnlyList<KnownMessage>? known = null, byte[]? hash = null)
    {
        var call = ++lastCall;
        var credential = new BoxCredential(sandbox, generation, hash ?? Tokens.HashFor(Key, sandbox, generation));
        Step(new SessionInput.BridgeAttached(++lastLink, call, credential, new(1, 1, sandbox, generation, Spool, known ?? [], [], RenewedFrom)));
        return Replies[call];
    }

    public SandboxId BoxId => SandboxId.TryParse(View.GetProperty("sandbox").GetProperty("id").GetString(), out var id) ? id : throw new InvalidOperationException("The session has no box.");

    public BoxCredential Credential(SandboxId sandbox, int generation) => new(sandbox, generation, Tokens.HashFor(Key, sandbox, generation));

    /// <summary>The box sends its next event.</summary>
    public void Box(string kind, MessageId? message = null, string data = "{}") => BoxAt(++N, kind, message, data);

    public void BoxAt(long n, string kind, MessageId? message = null, string data = "{}", long? link = null) =>
        Step(new SessionInput.BridgeReceived(link ?? lastLink, new BoxFrame.Event(n, kind, message, Encoding.UTF8.GetBytes(data))));

    public void EndTurn(string outcome = "completed", string extra = "") => Box("message.ended", Dispatched, $$"""{"outcome":"{{outcome}}"{{extra}}}""");

    public void Settle(string effectKey, EffectOutcome outcome)
    {
        Effects.Remove(effectKey);
        Step(new SessionInput.EffectSettled(effectKey, outcome));
    }

    public void SettleAll<TEffect>(EffectOutcome outcome)
        where TEffect : SessionEffect
    {
        foreach (var (key, _) in Effects.Where(e => e.Value is TEffect).ToList()) Settle(key, outcome);
    }

    public void Pass(TimeSpan time)
    {
        Now += time;
        Step(new SessionInput.AlarmDue());
    }

    /// <summary>Time passes in the steps that the machine's own wake-ups make.</summary>
    public void PassByAlarms(TimeSpan time)
    {
        var until = Now + time;
        while (machine.WakeAt is { } wake && wake <= until)
        {
            Now = wake > Now ? wake : Now;
            Step(new SessionInput.AlarmDue());
        }

        Now = until;
        Step(new SessionInput.AlarmDue());
    }

    /// <summary>Time passes while the box's heartbeat goes on.</summary>
    public void PassWithHeartbeats(TimeSpan time)
    {
        var until = Now + time;
        while (Now < until)
        {
            Pass(TimeSpan.FromSeconds(15));
            Step(new SessionInput.BridgeReceived(lastLink, new BoxFrame.Heartbeat(false, 1, 1)));
        }
    }

    public void Commit()
    {
        var record = InFlight ?? throw new InvalidOperationException("Nothing is in flight.");
        InFlight = null;
        var first = Journal.Sum(r => r.LastSeq - r.FirstSeq + 1) + 1;
        Journal.Add(new(record.ExpectedVersion + 1, first, first + record.EventCount - 1, JournalRecord.CurrentSchema, 0, record.Payload.ToArray(), record.At));
        Step(new SessionInput.Committed(record.ExpectedVersion + 1));
    }

    /// <summary>The host dies: what was not durable is gone, and another activation folds the journal.</summary>
    public void Crash()
    {
        InFlight = null;
        Effects.Clear();
        machine = Activate();
        foreach (var record in Journal) machine.Replay(record);
        Step(new SessionInput.Activated());
    }

    /// <summary>The host is away for a while: no alarm rings, and the next activation begins when it is back.</summary>
    public void Away(TimeSpan time)
    {
        Now += time;
        Crash();
    }

    public void Detach(long? link = null) => Step(new SessionInput.BridgeDetached(link ?? lastLink));

    public void Step(SessionInput input)
    {
        var taken = outputs.Count;
        machine.Step(input, Now, outputs);
        foreach (var output in outputs.Skip(taken).ToList()) Take(output);
        if (AutoCommit && InFlight is not null) Commit();
    }

    public ISessionMachine Activate() => new SessionMachineFactory(limits, Tokens).Create(new(Key, default, 1, 0, 0, Incarnation));

    private void Take(SessionOutput output)
    {
        switch (output)
        {
            case SessionOutput.Append a:
                if (InFlight is not null) throw new InvalidOperationException("Two appends in flight.");
                InFlight = a.Record;
                Discovered = a.Record.Environment ?? Discovered;
                break;
            case SessionOutput.Publish p:
                foreach (var slice in p.Batch.Events) Shown.Add(JsonDocument.Parse(p.Batch.Utf8.Slice(slice.Offset, slice.Length)).RootElement);
                break;
            case SessionOutput.Reply r:
                Replies.Add(r.CallId, r.Result);
                break;
            case SessionOutput.SendToBox s:
                Sent.Add((s.LinkId, s.Frame));
                break;
            case SessionOutput.ExpectPrompt x:
                Expected.Add((x.LinkId, x.Model));
                break;
            case SessionOutput.CloseLink c:
                ClosedLinks.Add((c.LinkId, c.Reason));
                break;
            case SessionOutput.StartEffect e:
                Effects.Add(e.EffectKey, e.Effect);
                break;
        }
    }

    /// <summary>Tokens under the names of keys.</summary>
    internal sealed class KeyedTokens : IBoxTokenScheme
    {
        /// <summary>The present one first.</summary>
        public IReadOnlyList<string> Held { get; set; } = ["secret"];

        public string TokenFor(SessionKey key, SandboxId sandbox, int generation) => TokenUnder(Held[0], key, sandbox, generation);

        public byte[] HashFor(SessionKey key, SandboxId sandbox, int generation) => HashUnder(Held[0], key, sandbox, generation);

        public bool IsHashFor(SessionKey key, SandboxId sandbox, int generation, ReadOnlySpan<byte> hash)
        {
            foreach (var name in Held)
                if (hash.SequenceEqual(HashUnder(name, key, sandbox, generation))) return true;
            return false;
        }

        public static byte[] HashUnder(string name, SessionKey key, SandboxId sandbox, int generation) => SHA256.HashData(Encoding.UTF8.GetBytes(TokenUnder(name, key, sandbox, generation)));

        private static string TokenUnder(string name, SessionKey key, SandboxId sandbox, int generation) => $"sb_{key.Organization}.{key.Session}.{sandbox}.{generation}.{name}";
    }
}
