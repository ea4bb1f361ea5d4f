using System.Reflection;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Coordinator.Modules.Sessions.Facts;
using Coordinator.Ports.Compute;
using Coordinator.Ports.Session;
using Xunit;

namespace Coordinator.Tests.Modules.Sessions;

/// <summary>
/// Journals as releases wrote them, kept for ever: every later release must fold them to the same view. Set
/// COORDINATOR_WRITE_GOLDEN to a folder to write the journal of a new release.
/// </summary>
public sealed class GoldenJournalTests
{
    /// <summary>The release that a journal is written for: of before stay what they were.</summary>
    private const string Newest = "0.2";

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    private static string Folder => Path.Combine(AppContext.BaseDirectory, "Sessions", "Golden");

    [Theory]
    [InlineData("0.1")]
    [InlineData(Newest)]
    public void The_journal_of_a_release_folds_to_the_view_it_had(string release)
    {
        var session = new SessionDriver();
        var machine = session.Activate();
        var version = 0L;
        var seq = 0L;
        foreach (var line in File.ReadLines(Path.Combine(Folder, $"journal-{release}.jsonl")))
        {
            var payload = Encoding.UTF8.GetBytes(line);
            var events = JsonDocument.Parse(payload).RootElement.GetProperty("events").GetArrayLength();
            machine.Replay(new(++version, seq + 1, seq += events, 1, 0, payload, session.Now));
        }

        Assert.Equal(File.ReadAllText(Path.Combine(Folder, $"view-{release}.json")).ReplaceLineEndings("\n").Trim(), ViewOf(machine, session.Now).ReplaceLineEndings("\n"));
    }

    [Fact]
    public void Every_fact_that_this_release_may_write_stands_in_a_golden_journal()
    {
        var known = typeof(Fact).GetCustomAttributes<JsonDerivedTypeAttribute>().Select(type => (string)type.TypeDiscriminator!).Order(StringComparer.Ordinal);
        var golden = Directory.GetFiles(Folder, "journal-*.jsonl").SelectMany(File.ReadLines).SelectMany(FactsOf).Distinct().Order(StringComparer.Ordinal);
        Assert.Equal(known, golden);
    }

    [Fact]
    public void A_run_that_was_refused_stands_in_a_golden_journal_under_the_names_that_are_read() =>
        Assert.Contains(Directory.GetFiles(Folder, "journal-*.jsonl").SelectMany(File.ReadLines), line => line.Contains("\"refused\":\"run_", StringComparison.Ordinal) && line.Contains("\"refusedUntil\":", StringComparison.Ordinal));

    [Theory]
    [InlineData("messageCancelling", "client-3")]
    [InlineData("permissionDecided", "client-1")]
    public void The_key_of_a_cancel_and_of_an_answer_stand_in_a_golden_journal_under_the_name_that_is_read(string name, string key) =>
        Assert.Contains(
            Directory.GetFiles(Folder, "journal-*.jsonl").SelectMany(File.ReadLines).SelectMany(line => JsonDocument.Parse(line).RootElement.GetProperty("facts").EnumerateArray()),
            fact => fact.GetProperty("fact").GetString() == name && fact.TryGetProperty("request", out var request) && request.GetProperty("key").GetString() == key);

    [Fact]
    public void The_id_of_a_model_call_stands_in_a_golden_journal_under_the_name_that_is_read_and_a_record_without_one_too()
    {
        var recorded = Directory.GetFiles(Folder, "journal-*.jsonl").SelectMany(File.ReadLines).SelectMany(line => JsonDocument.Parse(line).RootElement.GetProperty("facts").EnumerateArray())
            .Where(fact => fact.GetProperty("fact").GetString() == "usageRecorded").ToList();
        Assert.Contains(recorded, fact => fact.TryGetProperty("call", out var call) && call.GetString()!.StartsWith("cal_", StringComparison.Ordinal));
        Assert.Contains(recorded, fact => !fact.TryGetProperty("call", out _));
    }

    [Fact]
    public void A_life_can_be_written_as_a_golden_journal_that_tells_its_last_question_and_place_too()
    {
        var session = WholeLife();
        var lines = session.Journal.ConvertAll(record => Encoding.UTF8.GetString(record.Payload.Span));
        Assert.Superset(new HashSet<string>(["sandboxPlaced", "permissionExtended", "graceGiven"]), lines.SelectMany(FactsOf).ToHashSet());
        if (Environment.GetEnvironmentVariable("COORDINATOR_WRITE_GOLDEN") is not { Length: > 0 } folder) return;
        File.WriteAllLines(Path.Combine(folder, $"journal-{Newest}.jsonl"), lines);
        var refolded = session.Activate();
        foreach (var record in session.Journal) refolded.Replay(record with { At = new SessionDriver().Now });
        File.WriteAllText(Path.Combine(folder, $"view-{Newest}.json"), ViewOf(refolded, session.Now) + "\n");
    }

    private static IEnumerable<string> FactsOf(string record) =>
        JsonDocument.Parse(record).RootElement.GetProperty("facts").EnumerateArray().Select(fact => fact.GetProperty("fact").GetString()!);

    private static string ViewOf(ISessionMachine machine, DateTimeOffset now)
    {
        var outputs = new List<SessionOutput>();
        machine.Step(new SessionInput.Called(1, new SessionCommand.GetView()), now, outputs);
        var view = ((SessionReply.View)outputs.OfType<SessionOutput.Reply>().Single().Result.Value).Session;
        return JsonSerializer.Serialize(JsonDocument.Parse(view.Json), Indented);
    }

    /// <summary>A life that writes every kind of fact at least once, where it can without a failure of the box.</summary>
    private static SessionDriver WholeLife()
    {
        var session = SessionDriver.WithPrompt();
        session.Away(TimeSpan.FromHours(1));
        session.SettleAll<SessionEffect.CreateSandbox>(new EffectOutcome.SandboxPlaced("first"));
        session.SettleAll<SessionEffect.CreateSandbox>(new EffectOutcome.Failed(new("sandbox_full", "No room."), true) { PlaceIsFree = true });
        session.PassByAlarms(TimeSpan.FromSeconds(2));
        session.SettleAll<SessionEffect.CreateSandbox>(new EffectOutcome.SandboxPlaced("second"));
        session.MakeReady();
        session.Box("message.accepted", session.Dispatched);
        var box = session.BoxId;
        session.Box("environment.detected", null, """{"environment":{"packageManager":"npm","fileCount":3}}""");
        session.Box("agent.text", session.Dispatched, """{"part":"p1","offset":0,"text":"Héllo"}""");
        session.Call(new SessionCommand.RecordUsage(session.Credential(box, 1), new("demo/scripted", 10, 2, 0, 0, 0, 0.0001m), new(Ports.PrefixedId.Derive("call", "1"))));
        var permission = "per_00000000000000000000000001";
        session.Box("permission.asked", session.Dispatched, $$"""{"permissionId":"{{permission}}","permission":"bash","patterns":["ls"]}""");
        session.Away(TimeSpan.FromMinutes(40));
        session.Attach(box, 1, [new(session.Dispatched, KnownMessageState.Accepted)]);
        session.Call(new SessionCommand.AnswerPermission(SessionDriver.Ada, Ports.PermissionId.TryParse(permission, out var id) ? id : default, PermissionDecision.Session, "fine", new("User:ada", "client-1", new string('0', 64))));
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
        session.Call(new SessionCommand.Cancel(SessionDriver.Ada, null, new("User:ada", "client-3", new string('0', 64))));
        session.EndTurn("cancelled");
        session.SettleAll<SessionEffect.FlushRun>(new EffectOutcome.Failed(new("run_rejected", "Refused for what it is."), false));
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
