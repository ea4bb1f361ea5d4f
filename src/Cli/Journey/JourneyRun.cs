using Coordinator.Client;

namespace Coordinator.Cli.Journey;

/// <summary>What the checks of one journey share: the host, the session they all work in, and its log from the first event on.</summary>
internal sealed class JourneyRun(CoordinatorClient client, JourneyOptions options) : IAsyncDisposable
{
    private EventLog? log;

    public CoordinatorClient Client { get; } = client;

    public JourneyOptions Options { get; } = options;

    public Session Session { get; private set; } = null!;

    /// <summary>What is being waited for, in words, for a check that does not end.</summary>
    public string Step { get; set; } = string.Empty;

    public EventLog Log => log ?? throw new JourneyException("a session", "none: the first check failed");

    public async Task StartSessionAsync(CancellationToken cancellationToken)
    {
        Step = "the session to be created";
        Session = await Client.CreateSessionAsync(new(Options.Model, "Journey", Options.Repository), cancellationToken);
        log = new(Client, Session.Id);
    }

    public async Task<string> PromptAsync(string text, CancellationToken cancellationToken)
    {
        Step = $"the prompt '{text}' to be taken";
        return (await Client.PromptAsync(Session.Id, text, cancellationToken)).MessageId;
    }

    /// <summary>Waits for an event of the log.</summary>
    public Task<SessionEvent> WaitAsync(string expected, Func<SessionEvent, bool> fits, TimeSpan limit, CancellationToken cancellationToken)
    {
        Step = expected;
        return Log.WaitAsync(expected, fits, limit, cancellationToken);
    }

    /// <summary>Waits for the end of a message, which must be the one expected.</summary>
    public async Task<SessionEvent> EndAsync(string message, string type, TimeSpan limit, CancellationToken cancellationToken)
    {
        var end = await WaitAsync($"{type} of {message}", e => e.MessageId == message && IsEnd(e), limit, cancellationToken);
        return end.Type == type ? end : throw new JourneyException(type, $"{end.Type} {end.Data.GetRawText()}");
    }

    public static bool IsEnd(SessionEvent e) => e.Type is "message.completed" or "message.failed" or "message.cancelled";

    public IReadOnlyList<SessionEvent> EventsOf(string message) => [.. Log.Snapshot().Where(e => e.MessageId == message)];

    /// <summary>The answer's text as a client puts it together: parts in order, each written at its offsets.</summary>
    public string TextOf(string message)
    {
        List<string> order = [];
        Dictionary<string, string> parts = new(StringComparer.Ordinal);
        foreach (var e in EventsOf(message).Where(e => e.Type == "agent.text"))
        {
            var part = e.Text("part")!;
            if (!parts.TryGetValue(part, out var text)) order.Add(part);
            parts[part] = (text ?? string.Empty)[..Math.Min(text?.Length ?? 0, e.Data.GetProperty("offset").GetInt32())] + e.Text("text");
        }

        return string.Join('\n', order.Select(p => parts[p]));
    }

    public ValueTask DisposeAsync() => log?.DisposeAsync() ?? ValueTask.CompletedTask;
}

/// <summary>What a journey needs to know.</summary>
public sealed record JourneyOptions(string Model, Repository? Repository, IHostControl? Host, bool SameMachine)
{
    /// <summary>How long stopping a running tool may take; more only where the machine is known to be busy with other things.</summary>
    public TimeSpan LongestStop { get; init; } = TimeSpan.FromSeconds(1);
}
