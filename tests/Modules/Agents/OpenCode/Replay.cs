using System.Text.Json;
using Coordinator.Adapters.OpenCode;
using Coordinator.Adapters.OpenCode.Turns;
using Coordinator.Ports.Compute;
using Coordinator.Tests.Support.Agents;
using Xunit;

namespace Coordinator.Tests.Modules.Agents.OpenCode;

/// <summary>Plays a recorded conversation with OpenCode into a translator, as the runtime would.</summary>
internal sealed class Replay
{
    private readonly List<JsonElement> lines;

    public Replay(string transcript, int turn = 0)
    {
        lines = Transcript.Read("opencode", transcript);
        var prompts = lines.FindAll(line => line.Text("dir") == "http-request" && line.Text("path")?.EndsWith("/prompt_async", StringComparison.Ordinal) == true);
        Session = prompts[turn].Text("path")!.Split('/')[2];
        var users = Events.Where(e => e.Text("type") == "message.updated" && Info(e).Text("role") == "user" && Info(e).Text("sessionID") == Session)
            .Select(e => Info(e).Text("id")!).Distinct().ToList();
        Prompt = users[turn];
        Translator = new TurnTranslator(Session, Prompt, "/workspace");
    }

    public string Session { get; }

    public string Prompt { get; }

    public TurnTranslator Translator { get; }

    public List<AgentUpdate> Updates { get; } = [];

    public List<TurnSignal> Signals { get; } = [];

    public IEnumerable<JsonElement> Events => lines.Where(line => line.Text("dir") == "sse").Select(line => line.GetProperty("data"));

    /// <summary>The text of each part as a reader of the updates has it, in the order the parts began.</summary>
    public string Text => UpdateFold.Text(Updates);

    /// <summary>The messages of the last answer to a read of the session's store.</summary>
    public List<JsonElement> Stored =>
        lines.Where(line => line.Text("dir") == "http-response" && line.Text("path")?.Contains($"{Session}/message", StringComparison.Ordinal) == true)
            .Last().GetProperty("body").EnumerateArray()
            .Where(message => string.CompareOrdinal(Info2(message), Prompt) > 0).ToList();

    public Replay Play() => Play(static _ => true);

    public Replay Play(Func<JsonElement, bool> delivered)
    {
        foreach (var data in Events.Where(delivered)) Signals.Add(Translator.Translate(data, Updates));
        return this;
    }

    public Replay Reconcile(bool atRest = true)
    {
        Translator.Reconcile(Stored, atRest, Updates);
        return this;
    }

    public AgentUpdate.TurnEnded End(bool cancelled = false) => Translator.End(cancelled, Updates);

    public T Single<T>()
        where T : AgentUpdate => Assert.Single(Updates.OfType<T>());

    private static JsonElement Info(JsonElement data) => data.GetProperty("properties").GetProperty("info");

    private static string? Info2(JsonElement message) => message.GetProperty("info").Text("id");
}
