using System.Text;
using System.Text.Json;
using Coordinator.Client;

namespace Coordinator.Bench.Driving;

/// <summary>Coordinator by its public API alone, wherever it runs: HTTP to create and to prompt, the client's WebSocket to follow.</summary>
internal sealed class CoordinatorServer(Uri url, string apiKey, string model) : IServer
{
    private readonly CoordinatorClient client = new(url, apiKey);

    public async Task<string> CreateAsync(CancellationToken cancellationToken) => (await client.CreateSessionAsync(new NewSession(model), cancellationToken)).Id;

    public Task PromptAsync(string session, string text, CancellationToken cancellationToken) => client.PromptAsync(session, text, cancellationToken);

    public async Task<IFollower> FollowAsync(string session, string? cursor, CancellationToken cancellationToken)
    {
        var socket = await FrameSocket.ConnectAsync(url, $"/v1/sessions/{session}/ws", "coordinator.v1", apiKey, cancellationToken);
        await socket.SendAsync(Encoding.UTF8.GetBytes(cursor is null ? """{"type":"subscribe"}""" : $$"""{"type":"subscribe","after":"{{cursor}}"}"""), cancellationToken);
        await socket.ReceiveAsync(cancellationToken);
        return new Follower(socket);
    }

    public ValueTask DisposeAsync()
    {
        client.Dispose();
        return ValueTask.CompletedTask;
    }

    private sealed class Follower(FrameSocket socket) : IFollower
    {
        public async ValueTask<Told?> NextAsync(CancellationToken cancellationToken)
        {
            using var frame = JsonDocument.Parse(await socket.ReceiveAsync(cancellationToken));
            if (!frame.RootElement.TryGetProperty("events", out var events)) return new Told(0, null, EndsTurn: false);
            var ends = events.EnumerateArray().Any(one => one.GetProperty("type").GetString() is "message.completed" or "message.failed" or "message.cancelled");
            return new Told(events.GetArrayLength(), events[events.GetArrayLength() - 1].GetProperty("cursor").GetString(), ends);
        }

        public ValueTask DisposeAsync()
        {
            socket.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
