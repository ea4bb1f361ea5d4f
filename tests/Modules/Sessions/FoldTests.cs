using System.Text;
using System.Text.Json;
using Coordinator.Modules.Sessions.Actor;
using Coordinator.Modules.Sessions.State;
using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Coordinator.Ports.Record;
using Coordinator.Ports.Session;
using Coordinator.Tests.Modules.Journal;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Coordinator.Tests.Modules.Sessions;

/// <summary>The fold: what the journal tells is what the actor knew, at any point of any life.</summary>
public sealed class FoldTests
{
    /// <summary>One random deed against a session.</summary>
    private static void Do(SessionDriver session, int deed)
    {
        switch (deed % 14)
        {
            case 0 or 1:
                session.Prompt($"prompt {deed}", deed % 3 == 0 ? $"key-{deed % 5}" : null);
                break;
            case 2:
                session.SettleAll<SessionEffect.CreateSandbox>(session.Effects.Values.OfType<SessionEffect.CreateSandbox>().Select(c => (EffectOutcome)new EffectOutcome.SandboxCreated(SessionDriver.Handle(c))).FirstOrDefault() ?? new EffectOutcome.Succeeded());
                break;
            case 3 when session.HasBox:
                session.N = 0;
                session.Spool = $"spool-{deed}";
                session.Attach(session.BoxId, session.Generation);
                break;
            case 4 when session.IsAttached:
                session.Box("boot.ready", null, """{"agent":{"name":"a","version":"1"},"resumed":false,"elapsedMs":1}""");
                break;
            case 5 when session.HasDispatched:
                session.Box("message.accepted", session.Dispatched);
                break;
            case 6 or 7 when session.HasDispatched:
                session.Box("agent.text", session.Dispatched, $$"""{"part":"p","offset":0,"text":"ünïcode {{deed}}"}""");
                break;
            case 8 when session.HasDispatched:
                session.EndTurn(deed % 2 == 0 ? "completed" : "failed");
                break;
            case 9:
                session.Call(new SessionCommand.Cancel(SessionDriver.Ada, null));
                break;
            case 10 when session.HasDispatched:
                session.Box("permission.asked", session.Dispatched, $$"""{"permissionId":"{{new PermissionId(PrefixedId.Derive("p", $"{deed}"))}}","permission":"bash","patterns":["ls"]}""");
                break;
            case 11:
                session.Pass(TimeSpan.FromSeconds(deed % 400));
                break;
            case 12:
                session.SettleAll<SessionEffect.FlushRun>(new EffectOutcome.Succeeded());
                session.SettleAll<SessionEffect.DestroySandbox>(deed % 2 == 0 ? new EffectOutcome.Succeeded() : new EffectOutcome.Failed(new("x", "x"), true));
                session.SettleAll<SessionEffect.InspectSandbox>(new EffectOutcome.SandboxInspected(deed % 5 == 0 ? SandboxStatus.NotFound : SandboxStatus.Running, null));
                break;
            case 13 when deed % 7 == 0:
                session.Crash();
                break;
        }
    }

    private static string State(ISessionMachine machine) => Encoding.UTF8.GetString(machine.Snapshot().State.Span);

    [Fact]
    public void Folding_the_journal_gives_the_state_that_the_actor_had()
    {
        var lives = Gen.Choose(0, 10_000).ArrayOf(80).ToArbitrary();
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(60), Prop.ForAll(lives, deeds =>
        {
            var session = new SessionDriver();
            session.Create();
            foreach (var deed in deeds) Do(session, deed);
            var refolded = session.Activate();
            foreach (var record in session.Journal) refolded.Replay(record);
            Assert.Equal(State(session.Machine), State(refolded));
        }));
    }

    [Fact]
    public void A_snapshot_and_the_records_after_it_give_the_same_state_as_all_records()
    {
        var lives = Gen.Choose(0, 10_000).ArrayOf(60).ToArbitrary();
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(40), Prop.ForAll(lives, deeds =>
        {
            var session = new SessionDriver();
            session.Create();
            foreach (var deed in deeds.Take(30)) Do(session, deed);
            var snapshot = session.Machine.Snapshot();
            foreach (var deed in deeds.Skip(30)) Do(session, deed);
            var restored = session.Activate();
            Assert.True(restored.Restore(snapshot));
            foreach (var record in session.Journal.Where(r => r.Version > snapshot.Version)) restored.Replay(record);
            Assert.Equal(State(session.Machine), State(restored));
        }));
    }

    [Fact]
    public void The_keys_of_prompts_are_forgotten_in_the_order_they_were_used_last_with_a_snapshot_between_or_without()
    {
        var session = SessionDriver.Running();
        for (var hour = 0; hour < 60; hour++)
        {
            session.Prompt($"prompt {hour}", hour % 7 == 0 ? "again and again" : $"key-{hour}");
            session.Call(new SessionCommand.Cancel(SessionDriver.Ada, null));
            var restored = session.Activate();
            Assert.True(restored.Restore(session.Machine.Snapshot()));
            session.Pass(TimeSpan.FromHours(1));
            session.Prompt($"then {hour}", $"then-{hour}");
            foreach (var record in session.Journal.Where(r => r.Version > restored.Version).ToList()) restored.Replay(record);
            Assert.Equal(State(session.Machine), State(restored));
            var keys = JsonDocument.Parse(State(session.Machine)).RootElement.GetProperty("requests").EnumerateObject().ToList();
            Assert.All(keys, key => Assert.True(session.Now - key.Value.GetProperty("at").GetDateTimeOffset() <= TimeSpan.FromHours(24)));
            Assert.Contains(keys, key => key.Name.EndsWith($"\nthen-{hour}", StringComparison.Ordinal));
        }
    }

    [Fact]
    public void A_session_whose_text_was_merged_or_whose_events_are_gone_folds_to_the_state_it_had()
    {
        var session = Talked();

        foreach (var journal in new[] { RecordMergeTests.Merge(session.Journal), session.Journal.ConvertAll(WithoutEvents) })
        {
            var refolded = session.Activate();
            foreach (var record in journal) refolded.Replay(record);
            Assert.Equal(State(session.Machine), State(refolded));
        }

        Assert.Contains(RecordMergeTests.Merge(session.Journal), record => record.Codec == RecordEvents.CoveredCodec);
    }

    [Fact]
    public void A_snapshot_of_the_middle_of_a_text_and_its_merged_records_give_the_state_it_had()
    {
        var session = SessionDriver.Running();
        session.Box("agent.text", session.Dispatched, """{"part":"p","offset":0,"text":"What was said"}""");
        var snapshot = session.Machine.Snapshot();
        session.Box("agent.text", session.Dispatched, """{"part":"p","offset":13,"text":" and what was to be said"}""");
        End(session);

        var restored = session.Activate();
        Assert.True(restored.Restore(snapshot));
        foreach (var record in RecordMergeTests.Merge(session.Journal).Where(record => record.Version > snapshot.Version)) restored.Replay(record);
        Assert.Equal(State(session.Machine), State(restored));
    }

    [Fact]
    public void The_digest_of_a_run_verifies_over_the_events_as_they_were_written_and_over_the_merged_ones()
    {
        var session = Talked();
        var run = session.Effects.Values.OfType<SessionEffect.FlushRun>().Single().Run;

        Assert.True(run.MayBeMerged());
        Assert.Equal(run.EventsDigest, DigestOf(session.Journal, run));
        Assert.Equal(run.EventsDigest, DigestOf(RecordMergeTests.Merge(session.Journal), run));
    }

    /// <summary>A turn with text in many pieces, ended and not yet flushed.</summary>
    private static SessionDriver Talked()
    {
        var session = SessionDriver.Running();
        for (var i = 0; i < 200; i++) session.Box("agent.text", session.Dispatched, $$"""{"part":"p","offset":{{i * 10}},"text":"ten units.{{(i == 120 ? "\\u0021" : "")}}"}""");
        session.Box("tool.started", session.Dispatched, """{"callId":"c","tool":"bash","input":{}}""");
        session.Box("agent.text", session.Dispatched, """{"part":"q","offset":0,"text":"Do"}""");
        session.Box("agent.text", session.Dispatched, """{"part":"q","offset":2,"text":"ne."}""");
        session.EndTurn();
        return session;
    }

    private static void End(SessionDriver session)
    {
        session.EndTurn();
        session.SettleAll<SessionEffect.FlushRun>(new EffectOutcome.Succeeded());
    }

    private static JournalRecord WithoutEvents(JournalRecord record)
    {
        var text = Encoding.UTF8.GetString(record.Payload.Span);
        return record.LastSeq < record.FirstSeq ? record : record with { Payload = Encoding.UTF8.GetBytes($"{text[..text.LastIndexOf("\"events\":[", StringComparison.Ordinal)]}\"events\":null}}") };
    }

    private static string DigestOf(IEnumerable<JournalRecord> journal, RunRecord run)
    {
        var digest = RunDigest.Empty;
        foreach (var batch in journal.Select(RecordEvents.Read).OfType<EventBatch>())
            foreach (var slice in batch.Events.Where(slice => slice.Seq >= run.FirstSeq && slice.Seq <= run.LastSeq)) digest = digest.Add(batch.Utf8.Slice(slice.Offset, slice.Length).Span);
        return digest.Text;
    }

    [Fact]
    public void Whatever_happens_every_message_ends_once_runs_in_order_and_the_numbers_have_no_gap()
    {
        var lives = Gen.Choose(0, 10_000).ArrayOf(120).ToArbitrary();
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(60), Prop.ForAll(lives, deeds =>
        {
            var session = new SessionDriver();
            session.Create();
            foreach (var deed in deeds) Do(session, deed);
            Assert.Equal(Enumerable.Range(1, session.Shown.Count).Select(i => (long)i), session.Shown.Select(e => e.GetProperty("seq").GetInt64()));
            var ends = session.Shown.Where(e => e.GetProperty("type").GetString() is "message.completed" or "message.failed" or "message.cancelled").Select(e => e.GetProperty("messageId").GetString()).ToList();
            Assert.Equal(ends.Distinct(), ends);
            var dispatches = session.Shown.Where(e => e.GetProperty("type").GetString() == "message.dispatched").Select(e => e.GetProperty("messageId").GetString()).ToList();
            Assert.Equal(dispatches.Distinct(), dispatches);
        }));
    }

    [Fact]
    public void A_snapshot_of_another_shape_is_refused()
    {
        var session = SessionDriver.Running();
        Assert.False(session.Activate().Restore(session.Machine.Snapshot() with { ShapeHash = "another" }));
    }

    [Theory]
    [InlineData("\"hex\":\"", "\"hex\":\"not a digest ")]
    [InlineData("\"key\":{", "\"key\":{\"session\":7,")]
    [InlineData("\"status\":\"Active\"", "\"status\":\"Asleep\"")]
    [InlineData("{", "")]
    public void A_damaged_snapshot_is_refused_whatever_in_it_is_damaged(string part, string damaged)
    {
        var session = SessionDriver.Running();
        var snapshot = session.Machine.Snapshot();
        var text = System.Text.Encoding.UTF8.GetString(snapshot.State.Span);
        var at = text.IndexOf(part, StringComparison.Ordinal);
        Assert.True(at >= 0, text);
        Assert.False(session.Activate().Restore(snapshot with { State = System.Text.Encoding.UTF8.GetBytes(text[..at] + damaged + text[(at + part.Length)..]) }));
    }

    [Fact]
    public void A_record_of_a_newer_release_is_refused()
    {
        var session = SessionDriver.Running();
        var newer = session.Journal[0] with { Payload = Encoding.UTF8.GetBytes("""{"facts":[{"fact":"sessionTeleported"}],"events":[]}""") };
        Assert.Throws<UnknownRecordException>(() => session.Activate().Replay(newer));
        Assert.Throws<UnknownRecordException>(() => session.Activate().Replay(session.Journal[0] with { Schema = 99 }));
        Assert.Throws<UnknownRecordException>(() => session.Activate().Replay(session.Journal[0] with { Codec = 9 }));
    }
}
