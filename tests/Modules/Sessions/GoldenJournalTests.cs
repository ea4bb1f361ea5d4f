using System.Text;
using System.Text.Json;
using Coordinator.Ports.Compute;
using Coordinator.Ports.Session;
using Xunit;

namespace Coordinator.Tests.Modules.Sessions;

/// <summary>
/// A journal as release 0.1 wrote it, kept for ever: every later release must fold it to the same view. Set
/// COORDINATOR_WRITE_GOLDEN to a folder to write the journal of a new release.
/// </summary>
public sealed class GoldenJournalTests
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    [Fact]
    public void The_journal_of_release_0_1_folds_to_the_view_it_had()
    {
        var folder = Path.Combine(AppContext.BaseDirectory, "Sessions", "Golden");
        var session = new SessionDriver();
        var machine = session.Activate();
        var version = 0L;
        var seq = 0L;
        foreach (var line in File.ReadLines(Path.Combine(folder, "journal-0.1.jsonl")))
        {
            var payload = Encoding.UTF8.GetBytes(line);
            var events = JsonDocument.Parse(payload).RootElement.GetProperty("events").GetArrayLength();
            machine.Replay(new(++version, seq + 1, seq += events, 1, 0, payload, session.Now));
        }

        var outputs = new List<SessionOutput>();
        machine.Step(new SessionInput.Called(1, new SessionCommand.GetView()), session.Now, outputs);
        var view = ((SessionReply.View)outputs.OfType<SessionOutput.Reply>().Single().Result.Value).Session;
        var pretty = JsonSerializer.Serialize(JsonDocument.Parse(view.Json), Indented);
        Assert.Equal(File.ReadAllText(Path.Combine(folder, "view-0.1.json")).ReplaceLineEndings("\n").Trim(), pretty.ReplaceLineEndings("\n"));
    }

    [Fact]
    public void A_whole_life_can_be_written_as_a_golden_journal()
    {
        var session = WholeLife();
        Assert.True(session.Journal.Count > 10);
        if (Environment.GetEnvironmentVariable("COORDINATOR_WRITE_GOLDEN") is not { Length: > 0 } folder) return;
        File.WriteAllLines(Path.Combine(folder, "journal-0.1.jsonl"), session.Journal.Select(r => Encoding.UTF8.GetString(r.Payload.Span)));
        var refolded = session.Activate();
        foreach (var record in session.Journal) refolded.Replay(record with { At = new SessionDriver().Now });
        var outputs = new List<SessionOutput>();
        refolded.Step(new SessionInput.Called(1, new SessionCommand.GetView()), session.Now, outputs);
        var view = ((SessionReply.View)outputs.OfType<SessionOutput.Reply>().Single().Result.Value).Session;
        File.WriteAllText(Path.Combine(folder, "view-0.1.json"), JsonSerializer.Serialize(JsonDocument.Parse(view.Json), Indented) + "\n");
    }

    /// <summary>A life that writes every kind of fact at least once, where it can without a failure of the box.</summary>
    private static SessionDriver WholeLife()
    {
        var session = SessionDriver.Running();
        var box = session.BoxId;
        session.Box("environment.detected", null, """{"environment":{"packageManager":"npm","fileCount":3}}""");
        session.Box("agent.text", session.Dispatched, """{"part":"p1","offset":0,"text":"Héllo"}""");
        session.Call(new SessionCommand.RecordUsage(session.Credential(box, 1), new("demo/scripted", 10, 2, 0, 0, 0, 0.0001m)));
        var permission = "per_00000000000000000000000001";
        session.Box("permission.asked", session.Dispatched, $$"""{"permissionId":"{{permission}}","permission":"bash","patterns":["ls"]}""");
        session.Call(new SessionCommand.AnswerPermission(SessionDriver.Ada, Ports.PermissionId.TryParse(permission, out var id) ? id : default, PermissionDecision.Session, "fine"));
        session.Box("permission.confirmed", session.Dispatched, $$"""{"permissionId":"{{permission}}"}""");
        var (second, _) = session.Prompt("second", "client-2");
        var (third, _) = session.Prompt("third");
        session.Call(new SessionCommand.EditMessage(SessionDriver.Ada, third, "third, edited"));
        session.Call(new SessionCommand.MoveMessage(SessionDriver.Ada, third, second));
        session.EndTurn();
        session.SettleAll<SessionEffect.FlushRun>(new EffectOutcome.Failed(new("down", "down"), true));
        session.PassByAlarms(TimeSpan.FromSeconds(2));
        session.SettleAll<SessionEffect.FlushRun>(new EffectOutcome.Succeeded());
        session.Box("message.accepted", third);
        session.Call(new SessionCommand.Cancel(SessionDriver.Ada, null));
        session.EndTurn("cancelled");
        session.Detach();
        session.PassByAlarms(TimeSpan.FromSeconds(50));
        session.Attach(box, 1);
        session.Detach();
        session.PassByAlarms(TimeSpan.FromSeconds(6));
        session.SettleAll<SessionEffect.InspectSandbox>(new EffectOutcome.SandboxInspected(SandboxStatus.Stopped, "out_of_memory"));
        session.SettleAll<SessionEffect.DestroySandbox>(new EffectOutcome.Failed(new("down", "down"), true));
        session.PassByAlarms(TimeSpan.FromSeconds(2));
        session.SettleAll<SessionEffect.DestroySandbox>(new EffectOutcome.Succeeded());
        session.Call(new SessionCommand.Rename(SessionDriver.Ada, "Renamed"));
        session.Prompt("fourth");
        session.Call(new SessionCommand.Archive(SessionDriver.Ada));
        return session;
    }
}
