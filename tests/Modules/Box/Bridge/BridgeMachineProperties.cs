using Coordinator.Ports;
using Coordinator.Ports.Session;
using Coordinator.Sandbox.Bridge;
using Coordinator.Sandbox.Events;
using Xunit;
using HostFrame = Coordinator.Sandbox.Bridge.HostFrame;

namespace Coordinator.Tests.Modules.Box.Bridge;

/// <summary>A control plane by the rules of the protocol against the machine, over connections that fail at random.</summary>
public sealed class BridgeMachineProperties
{
    private const int Steps = 400;

    [Fact]
    public void Whatever_breaks_every_event_arrives_once_in_order_and_no_prompt_runs_twice()
    {
        for (var seed = 0; seed < 60; seed++) new Run(seed).Play();
    }

    private sealed class Run(int seed)
    {
        private readonly Random random = new(seed);
        private readonly MachineHarness box = new();
        private readonly List<string> received = [];
        private readonly List<string> told = [];
        private readonly List<MessageId> prompts = [];
        private readonly List<MessageId> started = [];
        private readonly HashSet<MessageId> over = [];
        private readonly Queue<System.Text.Json.JsonElement> onTheWire = new();
        private bool connected;
        private long cursor;
        private int events;

        public void Play()
        {
            for (var i = 0; i < Steps; i++) Act();
            Reconnect();
            Deliver(int.MaxValue);
            Assert.True(told.SequenceEqual(received), $"seed {seed}: told {told.Count}, received {received.Count}");
            Assert.True(started.Count == started.Distinct().Count(), $"seed {seed}: a prompt ran twice");
        }

        private void Act()
        {
            switch (random.Next(8))
            {
                case 0:
                    Reconnect();
                    break;
                case 1:
                    connected = false;
                    onTheWire.Clear();
                    box.Step(new BridgeInput.Disconnected());
                    break;
                case 2 when connected:
                    Prompt();
                    break;
                case 3 when started.Except(over).FirstOrDefault() is var running && running != default:
                    over.Add(running);
                    told.Add($"end {running}");
                    box.Step(new BridgeInput.TurnOver(running, MessageEnd.Cancelled));
                    break;
                case 4 when connected:
                    Deliver(random.Next(5));
                    break;
                default:
                    told.Add($"event {++events}");
                    box.Step(new BridgeInput.Happened(AgentEvents.Text(default, "p", 0, $"event {events}")));
                    break;
            }

            Collect();
        }

        private void Reconnect()
        {
            onTheWire.Clear();
            box.Forget();
            connected = true;
            box.Connect(cursor, new BridgeWindow(random.Next(1, 6), 100_000));
            // After welcome the control plane sends again what no event has confirmed, sometimes twice.
            foreach (var prompt in prompts.Except(over).TakeLast(1)) box.Prompt(prompt).Prompt(prompt);
            Collect();
        }

        private void Prompt()
        {
            if (prompts.Except(over).Any()) box.Prompt(prompts[^1]);
            else
            {
                prompts.Add(MessageId.New(TimeProvider.System));
                told.Add($"accepted {prompts[^1]}");
                box.Prompt(prompts[^1]);
            }
        }

        private void Collect()
        {
            started.AddRange(box.Orders.OfType<BridgeOutput.StartTurn>().Select(order => order.Request.Message));
            foreach (var frame in box.Frames.Where(frame => frame.GetProperty("type").GetString() == "event")) onTheWire.Enqueue(frame);
            box.Forget();
        }

        private void Deliver(int count)
        {
            for (; count > 0 && onTheWire.TryDequeue(out var frame); count--)
            {
                var n = frame.GetProperty("n").GetInt64();
                Assert.True(n <= cursor + 1, $"seed {seed}: a gap before {n}");
                if (n == cursor + 1)
                {
                    cursor = n;
                    received.Add(Describe(frame));
                }

                box.Receive(new HostFrame.Ack(cursor, new BridgeWindow(random.Next(1, 6), 100_000)));
                Collect();
            }
        }

        private static string Describe(System.Text.Json.JsonElement frame) => frame.GetProperty("kind").GetString() switch
        {
            EventKinds.MessageAccepted => $"accepted {frame.GetProperty("messageId").GetString()}",
            EventKinds.MessageEnded => $"end {frame.GetProperty("messageId").GetString()}",
            _ => frame.GetProperty("data").GetProperty("text").GetString()!,
        };
    }
}
