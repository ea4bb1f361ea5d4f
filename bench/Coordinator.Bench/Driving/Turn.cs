using Coordinator.Client;

namespace Coordinator.Bench.Driving;

/// <summary>A session with a connected box whose turn is running, watched by one client: what the streaming scenarios need.</summary>
internal sealed record Turn(string Session, string MessageId, SimulatedBox Box, SessionWatcher Watcher) : IAsyncDisposable
{
    /// <summary>The host's own, which it finds without a look at what the organization has set.</summary>
    public const string Model = "demo/scripted";

    public static async Task<Turn> BeginAsync(HostProcess host, CancellationToken cancellationToken, string model = Model)
    {
        using var client = host.Client();
        var session = await client.CreateSessionAsync(new NewSession(model, Prompt: "begin"), cancellationToken);
        var box = await SimulatedBox.ConnectAsync(host.Url, await host.NextBoxAsync(cancellationToken), cancellationToken);
        var prompt = await box.NextPromptAsync(cancellationToken);
        await box.SendAsync("message.accepted", prompt.MessageId, "{}", cancellationToken);
        await box.AllAcknowledgedAsync(cancellationToken);
        return new(session.Id, prompt.MessageId, box, await SessionWatcher.ConnectAsync(host, session.Id, null, cancellationToken));
    }

    public async Task EndAsync(CancellationToken cancellationToken)
    {
        await Box.SendAsync("message.ended", MessageId, """{"outcome":"completed"}""", cancellationToken);
        await Box.AllAcknowledgedAsync(cancellationToken);
    }

    public ValueTask DisposeAsync()
    {
        Watcher.Dispose();
        return Box.DisposeAsync();
    }
}
