using Coordinator.Adapters.InProcess;
using Coordinator.Fakes;
using Coordinator.Ports;
using Coordinator.Ports.Session;
using Coordinator.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Xunit;

namespace Coordinator.Tests.Conformance.SessionHost;

/// <summary>A box that sends without end, so that its session's mailbox is never empty: all else that the session has to do goes on.</summary>
public sealed class BusyMailboxTests : IAsyncDisposable
{
    private const int Room = 16;
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(10);

    private readonly SessionKey key = new(OrganizationId.New(TimeProvider.System), SessionId.New(TimeProvider.System));
    private readonly ManualTime time = new();
    private readonly FloodedMachine machine = new();
    private readonly InProcessSessionHost host;

    public BusyMailboxTests() => host = new(
        new InMemorySessionJournal(time),
        machine,
        [],
        Options.Create(new SessionHostOptions { MailboxCapacity = Room }),
        time,
        NullLogger<InProcessSessionHost>.Instance);

    public async ValueTask DisposeAsync()
    {
        machine.Flood = null;
        await host.DrainAsync(CancellationToken.None);
        await host.DisposeAsync();
    }

    [Fact]
    public async Task What_is_asked_is_written_and_answered()
    {
        await BeFloodedAsync();

        Assert.True((await AskAsync().WaitAsync(Bound)).IsSuccess);
        Assert.Equal(2, machine.Version);
    }

    [Fact]
    public async Task What_is_due_is_done()
    {
        await BeFloodedAsync();

        machine.IsDue = true;
        time.Advance(TimeSpan.FromSeconds(1));

        await machine.Woken.WaitAsync(Bound);
    }

    private async Task BeFloodedAsync()
    {
        Assert.True((await AskAsync()).IsSuccess);
        var sandbox = SandboxId.New(TimeProvider.System);
        var link = (await host.AttachBridgeAsync(key, new(sandbox, 1, new byte[32]), new(1, 1, sandbox, 1, "spool", [], []), new RecordingSink(), CancellationToken.None)).Value;
        machine.Flood = link;
        for (var i = 0; i < Room / 2; i++) await link.PostAsync(new BoxFrame.Heartbeat(false, 0, 0), CancellationToken.None);
    }

    private Task<Result<SessionReply>> AskAsync() =>
        host.CallAsync(key, new SessionCommand.Create(new(PrincipalKind.User, "usr_ada", "Ada"), new("demo/scripted", "opencode", null, PermissionMode.Auto), "A session"), CancellationToken.None).AsTask();

    /// <summary>Writes what it is asked, and answers then; for each frame of its box that it takes, the box has sent the next.</summary>
    private sealed class FloodedMachine : ISessionMachine, ISessionMachineFactory
    {
        private readonly TaskCompletionSource woken = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private long? asked;

        public volatile IBridgeLink? Flood;
        public volatile bool IsDue;

        public Task Woken => woken.Task;

        public long Version { get; private set; }

        public bool CanHibernate => false;

        /// <summary>None, as of a machine of which something is always in flight.</summary>
        public DateTimeOffset? WakeAt => null;

        public ISessionMachine Create(JournalLease lease) => this;

        public void Replay(JournalRecord record) => throw new NotSupportedException();

        public bool Restore(JournalSnapshot snapshot) => false;

        public JournalSnapshot Snapshot() => throw new NotSupportedException();

        public void Step(SessionInput input, DateTimeOffset now, IList<SessionOutput> outputs)
        {
            switch (input)
            {
                case SessionInput.BridgeAttached attached:
                    outputs.Add(new SessionOutput.Reply(attached.CallId, new SessionReply.Done()));
                    break;
                case SessionInput.BridgeReceived received:
                    Assert.True(Flood?.PostAsync(received.Frame, CancellationToken.None).AsTask().IsCompleted ?? true, "There was room for it a moment ago.");
                    break;
                case SessionInput.Called called:
                    asked = called.CallId;
                    outputs.Add(new SessionOutput.Append(new(Version, "{\"facts\":[],\"events\":null}"u8.ToArray(), 0, now, null, null)));
                    break;
                case SessionInput.Committed committed:
                    Version = committed.Version;
                    outputs.Add(new SessionOutput.Reply(asked!.Value, new SessionReply.Done()));
                    break;
                case SessionInput.AlarmDue when IsDue:
                    woken.TrySetResult();
                    break;
            }
        }
    }
}
