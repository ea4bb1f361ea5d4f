using System.Text;
using System.Text.Json;
using Coordinator.Modules.Sessions.Actor;
using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Coordinator.Ports.Session;
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
