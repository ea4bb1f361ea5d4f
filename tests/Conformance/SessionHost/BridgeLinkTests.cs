using System.Threading.Channels;
using Coordinator.Adapters.InProcess;
using Coordinator.Fakes;
using Coordinator.Ports;
using Coordinator.Ports.Session;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Xunit;

namespace Coordinator.Tests.Conformance.SessionHost;

/// <summary>A box's socket that did not come to be a link leaves nothing behind, whatever kept it from it.</summary>
public sealed class BridgeLinkTests : IAsyncDisposable
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(10);

    private readonly SessionKey key = new(OrganizationId.New(TimeProvider.System), SessionId.New(TimeProvider.System));
    private readonly ScriptedMachine machine = new();
    private readonly InProcessSessionHost host;

    public BridgeLinkTests() => host = new(
        new InMemorySessionJournal(TimeProvider.System),
        machine,
        [],
        Options.Create(new SessionHostOptions { MailboxCapacity = 16 }),
        TimeProvider.System,
        NullLogger<InProcessSessionHost>.Instance);

    public async ValueTask DisposeAsync()
    {
        machine.Go.Set();
        await host.DrainAsync(CancellationToken.None);
        await host.DisposeAsync();
        machine.Go.Dispose();
    }

    [Fact]
    public async Task A_caller_that_went_away_before_the_answer_leaves_no_link()
    {
        await CreateAsync();
        using var gone = new CancellationTokenSource();
        var sink = new RecordingSink();
        var attaching = AttachAsync(sink, gone.Token);
        var attached = await machine.NextAsync<SessionInput.BridgeAttached>();

        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => attaching);

        Assert.Equal(attached.LinkId, (await machine.NextAsync<SessionInput.BridgeDetached>()).LinkId);
        await CloseAsync(attached.LinkId);
        Assert.False(sink.Closed.Task.IsCompleted);
    }

    [Fact]
    public async Task A_refused_box_leaves_no_link()
    {
        await CreateAsync();
        machine.AnswersAttach = new Problem("box_not_wanted", "The session does not want this box any more.", ProblemKind.Gone);
        var sink = new RecordingSink();

        Assert.Equal("box_not_wanted", (await AttachAsync(sink, CancellationToken.None)).Problem?.Code);

        var detached = await machine.NextAsync<SessionInput.BridgeDetached>();
        await CloseAsync(detached.LinkId);
        Assert.False(sink.Closed.Task.IsCompleted);
    }

    [Fact]
    public async Task The_end_of_a_link_is_told_even_when_the_mailbox_is_full()
    {
        await CreateAsync();
        machine.AnswersAttach = new SessionReply.Done();
        var link = (await AttachAsync(new RecordingSink(), CancellationToken.None)).Value;
        machine.Go.Reset();
        using var gone = new CancellationTokenSource();
        List<Task> filling = [.. Enumerable.Range(0, 40).Select(_ => link.PostAsync(new BoxFrame.Heartbeat(false, 0, 0), gone.Token).AsTask())];

        var leaving = link.DisposeAsync().AsTask();
        machine.Go.Set();
        await leaving.WaitAsync(Bound);
        await Task.WhenAll(filling).WaitAsync(Bound);

        await machine.NextAsync<SessionInput.BridgeDetached>();
    }

    private async Task CreateAsync() =>
        Assert.True((await host.CallAsync(key, new SessionCommand.Create(new(PrincipalKind.User, "usr_ada", "Ada"), new("demo/scripted", "opencode", null, PermissionMode.Auto), "A session"), CancellationToken.None)).IsSuccess);

    private Task<Result<IBridgeLink>> AttachAsync(IBridgeSink sink, CancellationToken cancellationToken)
    {
        var sandbox = SandboxId.New(TimeProvider.System);
        return host.AttachBridgeAsync(key, new(sandbox, 1, new byte[32]), new(1, 1, sandbox, 1, "spool", [], []), sink, cancellationToken).AsTask();
    }

    /// <summary>The machine would close the link, and the host has had the time to.</summary>
    private async Task CloseAsync(long link)
    {
        machine.Closes = link;
        await host.CallAsync(key, new SessionCommand.GetView(), CancellationToken.None);
    }

    /// <summary>A machine that answers calls, and attaches only when told to.</summary>
    private sealed class ScriptedMachine : ISessionMachine, ISessionMachineFactory
    {
        private readonly Channel<SessionInput> taken = Channel.CreateUnbounded<SessionInput>();

        public ManualResetEventSlim Go { get; } = new(initialState: true);

        public Result<SessionReply>? AnswersAttach { get; set; }

        public long? Closes { get; set; }

        public long Version => 0;

        public bool CanHibernate => false;

        public DateTimeOffset? WakeAt => null;

        public ISessionMachine Create(JournalLease lease) => this;

        public void Replay(JournalRecord record)
        {
            // It has no state.
        }

        public bool Restore(JournalSnapshot snapshot) => false;

        public JournalSnapshot Snapshot() => throw new NotSupportedException();

        public void Step(SessionInput input, DateTimeOffset now, IList<SessionOutput> outputs)
        {
            Go.Wait(Bound);
            taken.Writer.TryWrite(input);
            if (input is SessionInput.Called called)
            {
                if (Closes is { } link) outputs.Add(new SessionOutput.CloseLink(link, LinkCloseReason.NotWanted, "The test says so."));
                outputs.Add(new SessionOutput.Reply(called.CallId, new SessionReply.Done()));
            }

            if (input is SessionInput.BridgeAttached attached && AnswersAttach is { } answer) outputs.Add(new SessionOutput.Reply(attached.CallId, answer));
        }

        /// <summary>The next input of this kind; others are passed over.</summary>
        public async Task<TInput> NextAsync<TInput>()
            where TInput : SessionInput
        {
            using var limit = new CancellationTokenSource(Bound);
            while (true)
                if (await taken.Reader.ReadAsync(limit.Token) is TInput input) return input;
        }
    }
}
