using Coordinator.Modules.Sessions.State;
using Coordinator.Ports;
using Coordinator.Ports.Session;
using Xunit;

namespace Coordinator.Tests.Modules.Sessions;

/// <summary>What a model call used counts once, however often it is told.</summary>
public sealed class UsageTests
{
    private static readonly ModelUsage Used = new("demo/scripted", 100, 10, 0, 0, 0, 0.002m);

    private readonly SessionDriver session = SessionDriver.Running();

    private BoxCredential Present => session.Credential(session.BoxId, session.Generation);

    private long Input => session.View.GetProperty("usage").GetProperty("inputTokens").GetInt64();

    private static ModelCallId CallOf(int number) => new(PrefixedId.Derive("call", $"{number}"));

    private Result<SessionReply> Record(int? call, BoxCredential? credential = null) =>
        session.Call(new SessionCommand.RecordUsage(credential ?? Present, Used, call is { } number ? CallOf(number) : null));

    [Fact]
    public void A_call_that_is_told_again_is_answered_as_done_and_leaves_no_record()
    {
        Record(1);
        var records = session.Journal.Count;

        Assert.IsType<SessionReply.Done>(Record(1).Value);

        Assert.Equal((records, 100L), (session.Journal.Count, Input));
        Assert.Single(session.Types, type => type == "usage.recorded");
        session.EndTurn();
        Assert.Equal(100, session.Effects.Values.OfType<SessionEffect.FlushRun>().Single().Run.Usage.InputTokens);
    }

    [Fact]
    public void Another_call_counts_though_it_used_the_same()
    {
        Record(1);
        Record(2);
        Assert.Equal(200, Input);
    }

    [Fact]
    public void A_call_that_has_no_id_counts_each_time()
    {
        Record(null);
        Record(null);
        Assert.Equal(200, Input);
    }

    [Fact]
    public void A_call_that_is_told_again_before_it_is_durable_is_answered_when_it_is()
    {
        var (box, told) = (Present, session.Replies.Count);
        session.AutoCommit = false;
        Record(1, box);
        Record(1, box);
        Assert.Equal(told, session.Replies.Count);

        session.Commit();

        Assert.Equal(told + 2, session.Replies.Count);
        Assert.Null(session.InFlight);
        Assert.Equal(100, Input);
    }

    [Fact]
    public void A_call_whose_record_died_with_its_host_is_recorded_when_it_is_told_again()
    {
        session.AutoCommit = false;
        Record(1);
        session.Crash();
        session.AutoCommit = true;

        Record(1);

        Assert.Equal(100, Input);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void The_next_host_knows_the_calls_that_were_recorded(bool hasSnapshot)
    {
        Record(1);
        var snapshot = session.Machine.Snapshot();
        Record(2);

        var next = session.Activate();
        if (hasSnapshot) Assert.True(next.Restore(snapshot));
        foreach (var record in session.Journal.Where(record => record.Version > next.Version)) next.Replay(record);
        List<SessionOutput> outputs = [];
        next.Step(new SessionInput.Called(1, new SessionCommand.RecordUsage(Present, Used, CallOf(1))), session.Now, outputs);
        next.Step(new SessionInput.Called(2, new SessionCommand.RecordUsage(Present, Used, CallOf(2))), session.Now, outputs);

        Assert.Equal([1L, 2L], outputs.OfType<SessionOutput.Reply>().Where(reply => reply.Result.IsSuccess).Select(reply => reply.CallId));
        Assert.Empty(outputs.OfType<SessionOutput.Append>());
    }

    [Fact]
    public void So_many_calls_are_known_and_no_more()
    {
        for (var call = 0; call <= FoldFormat.RecordedCalls; call++) Record(call);
        var records = session.Journal.Count;

        for (var call = 1; call <= FoldFormat.RecordedCalls; call++) Assert.True(Record(call).IsSuccess);
        Assert.Equal(records, session.Journal.Count);

        Record(0);
        Assert.Equal(records + 1, session.Journal.Count);
    }

    [Fact]
    public void A_call_of_a_box_that_was_replaced_meanwhile_is_answered_as_done_if_it_was_recorded_and_refused_if_not()
    {
        var replaced = Present;
        Record(1);
        session.Call(new SessionCommand.Cancel(SessionDriver.Ada, null));
        session.EndTurn("cancelled");
        session.Detach();
        session.PassByAlarms(TimeSpan.FromMinutes(2));
        session.SettleAll<SessionEffect.InspectSandbox>(new EffectOutcome.SandboxInspected(Ports.Compute.SandboxStatus.NotFound, null));
        session.SettleAll<SessionEffect.DestroySandbox>(new EffectOutcome.Succeeded());
        session.Prompt("next");
        Assert.Equal(2, session.Generation);

        Assert.True(Record(1, replaced).IsSuccess);
        Assert.Equal("box_not_wanted", Record(2, replaced).Problem?.Code);
        Assert.Equal(100, Input);
    }

    [Fact]
    public void Whoever_has_no_token_is_not_told_of_a_call()
    {
        Record(1);
        Assert.Equal("box_credential_invalid", Record(1, Present with { TokenHash = new byte[32] }).Problem?.Code);
    }
}
