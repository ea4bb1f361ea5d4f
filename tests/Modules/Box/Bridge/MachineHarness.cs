using System.Text;
using System.Text.Json;
using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Coordinator.Ports.Session;
using Coordinator.Sandbox.Bridge;
using Coordinator.Sandbox.Events;
using HostFrame = Coordinator.Sandbox.Bridge.HostFrame;

namespace Coordinator.Tests.Modules.Box.Bridge;

/// <summary>
/// A bridge machine with what its shell would keep for it: the spool's bodies and the ledger's entries. A new machine
/// over the same is the program restarted.
/// </summary>
internal sealed class MachineHarness
{
    private readonly SortedDictionary<long, byte[]> spool = [];
    private readonly List<LedgerEntry> ledger = [];
    private readonly LifecycleEvents lifecycle = new(new Redactor());
    private string spoolId = "spool-1";
    private int spools = 1;
    private long ackedN;
    private BridgeMachine machine;

    public MachineHarness() => machine = NewMachine();

    public static AgentModel Model { get; } = new("demo", "scripted", ModelWire.OpenAiChat, 1000, 100);

    public static BoxSettings Settings { get; } = new() { Agent = "opencode", Model = Model };

    public string SpoolId => machine.SpoolId;

    public long LastN => machine.LastN;

    public long AckedN => machine.AckedN;

    /// <summary>Orders given since the last look, by their names.</summary>
    public List<BridgeOutput> Orders { get; } = [];

    /// <summary>Frames sent since the last look.</summary>
    public List<JsonElement> Frames { get; } = [];

    /// <summary>What the box knows of messages, as the ledger has it.</summary>
    public IReadOnlyList<LedgerEntry> Ledger => ledger;

    public bool RefuseToRemember { get; set; }

    /// <summary>Kinds of the events that are kept, in order.</summary>
    public IEnumerable<string> Spooled => spool.Values.Select(body => JsonDocument.Parse(body).RootElement.GetProperty("kind").GetString()!);

    public static MessageId NewMessage() => MessageId.New(TimeProvider.System);

    public static BoxEvent Event(string text = "x") => AgentEvents.Text(NewMessage(), "p", 0, text);

    public MachineHarness Step(BridgeInput input)
    {
        Carry(machine.Step(input));
        return this;
    }

    public MachineHarness Receive(HostFrame frame) => Step(new BridgeInput.Received(frame));

    public MachineHarness Connect(long acked = 0, BridgeWindow? window = null)
    {
        Step(new BridgeInput.Connected());
        return Receive(new HostFrame.Welcome(1, SpoolId, acked, window ?? BridgeWindow.Default, Settings));
    }

    public MachineHarness Prompt(MessageId message, string requestId = "r1") => Receive(new HostFrame.Prompt(requestId, new PromptRequest(message, "do it", Model, null)));

    /// <summary>The program crashes and is started again on the same disk.</summary>
    public MachineHarness Restart(bool loseSpool = false)
    {
        if (loseSpool)
        {
            spool.Clear();
            (ackedN, spoolId) = (0, $"spool-{++spools}");
        }

        machine = NewMachine();
        Carry(machine.Recover());
        return this;
    }

    /// <summary>The machine the disk belongs to crashes; the last events were not written yet.</summary>
    public MachineHarness LoseTail(int events)
    {
        foreach (var n in spool.Keys.TakeLast(events).ToArray()) spool.Remove(n);
        return Restart();
    }

    public string[] SentTypes() => Frames.Select(frame => frame.GetProperty("type").GetString()!).ToArray();

    public long[] SentNumbers() => Frames.Where(frame => frame.GetProperty("type").GetString() == "event").Select(frame => frame.GetProperty("n").GetInt64()).ToArray();

    public string[] SentKinds() => Frames.Where(frame => frame.GetProperty("type").GetString() == "event").Select(frame => frame.GetProperty("kind").GetString()!).ToArray();

    public MachineHarness Forget()
    {
        Frames.Clear();
        Orders.Clear();
        return this;
    }

    private BridgeMachine NewMachine()
    {
        var ended = spool.Where(kept => BoxFrameWriter.EndedBy(kept.Value) is not null).Select(kept => (BoxFrameWriter.EndedBy(kept.Value)!.Value, kept.Key));
        var state = new SpoolState(spoolId, ackedN, spool.Values.Select(body => body.Length + BoxFrameWriter.EventOverhead));
        return new(new BoxIdentity(SandboxId.New(TimeProvider.System), 1), lifecycle, state, ended, ledger.ToArray(), () => $"spool-{++spools}");
    }

    private void Carry(IReadOnlyList<BridgeOutput> outputs)
    {
        foreach (var output in outputs)
        {
            switch (output)
            {
                case BridgeOutput.Remember { Entry.State: KnownMessageState.Accepted } remember when RefuseToRemember:
                    Carry(machine.Step(new BridgeInput.NotRemembered(remember.Entry.Id, MessageEnd.Failed("disk_full", "The disk is full."))));
                    break;
                case BridgeOutput.Remember remember:
                    ledger.Add(remember.Entry);
                    if (remember.Entry.State == KnownMessageState.Accepted) Carry(machine.Step(new BridgeInput.Remembered(remember.Entry.Id)));
                    break;
                case BridgeOutput.Append append:
                    if (append.N != ackedN + spool.Count + 1) throw new InvalidOperationException($"Event {append.N} leaves a gap.");
                    spool[append.N] = append.Body.ToArray();
                    break;
                case BridgeOutput.Trim trim:
                    foreach (var n in spool.Keys.Where(n => n <= trim.N).ToArray()) spool.Remove(n);
                    ackedN = trim.N;
                    break;
                case BridgeOutput.Renew renew:
                    Renew(renew);
                    break;
                case BridgeOutput.Send send:
                    Frames.Add(JsonDocument.Parse(send.Frame).RootElement);
                    break;
                case BridgeOutput.SendEvent send:
                    Frames.Add(JsonDocument.Parse(BoxFrameWriter.Event(send.N, spool[send.N])).RootElement);
                    break;
                default:
                    Orders.Add(output);
                    break;
            }
        }
    }

    private void Renew(BridgeOutput.Renew renew)
    {
        var kept = spool.Where(pair => pair.Key >= renew.KeepFrom).Select(pair => pair.Value).ToArray();
        spool.Clear();
        for (var i = 0; i < kept.Length; i++) spool[i + 1] = kept[i];
        (ackedN, spoolId) = (0, renew.SpoolId);
    }

    public override string ToString() => Encoding.UTF8.GetString(spool.Values.SelectMany(body => body).ToArray());
}
