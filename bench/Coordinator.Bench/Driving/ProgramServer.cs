using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Threading.Channels;

namespace Coordinator.Bench.Driving;

/// <summary>
/// A server behind an adapter that is a program of its own, in any language: one JSON object a line on its standard input
/// and output (docs/benchmarks.md, "Measuring another server"). Its time is in every figure, as the driver's own is.
/// </summary>
internal sealed class ProgramServer : IServer
{
    private readonly Process process;
    private readonly ConcurrentDictionary<long, TaskCompletionSource<JsonElement>> waiting = new();
    private readonly ConcurrentDictionary<long, Channel<Told>> followed = new();
    private readonly SemaphoreSlim writing = new(1);
    private readonly Task reading;
    private long lastId;

    public ProgramServer(string command, IEnumerable<string> arguments)
    {
        process = Process.Start(new ProcessStartInfo(command, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true })
            ?? throw new InvalidOperationException($"The adapter {command} did not start.");
        reading = ReadAsync();
    }

    public async Task<string> CreateAsync(CancellationToken cancellationToken) =>
        (await AskAsync(NextId(), "create", null, null, null, cancellationToken)).GetProperty("session").GetString()!;

    public Task PromptAsync(string session, string text, CancellationToken cancellationToken) => AskAsync(NextId(), "prompt", session, text, null, cancellationToken);

    public async Task<IFollower> FollowAsync(string session, string? cursor, CancellationToken cancellationToken)
    {
        var id = NextId();
        var told = followed[id] = Channel.CreateUnbounded<Told>(new() { SingleReader = true });
        await AskAsync(id, "follow", session, null, cursor, cancellationToken);
        return new Follower(this, id, told.Reader);
    }

    public async ValueTask DisposeAsync()
    {
        process.StandardInput.Close();
        await reading;
        await process.WaitForExitAsync();
        process.Dispose();
        writing.Dispose();
    }

    private long NextId() => Interlocked.Increment(ref lastId);

    private async Task<JsonElement> AskAsync(long id, string what, string? session, string? text, string? after, CancellationToken cancellationToken)
    {
        var answer = waiting[id] = new(TaskCreationOptions.RunContinuationsAsynchronously);
        var fields = new Dictionary<string, string?>(StringComparer.Ordinal) { ["id"] = id.ToString(CultureInfo.InvariantCulture), ["do"] = what, ["session"] = session, ["text"] = text, ["after"] = after };
        await writing.WaitAsync(cancellationToken);
        try
        {
            await process.StandardInput.WriteLineAsync(JsonSerializer.Serialize(fields).AsMemory(), cancellationToken);
            await process.StandardInput.FlushAsync(cancellationToken);
        }
        finally
        {
            writing.Release();
        }

        return await answer.Task.WaitAsync(cancellationToken);
    }

    /// <summary>Lines are answers (<c>id</c>, and <c>error</c> when it failed) or things told to a follower (<c>of</c>, the id of its <c>follow</c>).</summary>
    private async Task ReadAsync()
    {
        while (await process.StandardOutput.ReadLineAsync() is { } line)
        {
            using var json = JsonDocument.Parse(line);
            var said = json.RootElement;
            if (said.TryGetProperty("of", out var of)) Tell(Number(of), said);
            else if (waiting.TryRemove(Number(said.GetProperty("id")), out var answer)) Answer(answer, said);
        }

        foreach (var answer in waiting.Values) answer.TrySetException(new IOException("The adapter ended."));
        foreach (var told in followed.Values) told.Writer.TryComplete();
    }

    private void Tell(long follower, JsonElement said)
    {
        if (!followed.TryGetValue(follower, out var told)) return;
        if (said.TryGetProperty("ended", out _)) told.Writer.TryComplete();
        else told.Writer.TryWrite(new(said.GetProperty("events").GetInt32(), said.TryGetProperty("cursor", out var cursor) ? cursor.GetString() : null, said.TryGetProperty("endsTurn", out var ends) && ends.GetBoolean()));
    }

    private static void Answer(TaskCompletionSource<JsonElement> answer, JsonElement said)
    {
        if (said.TryGetProperty("error", out var error)) answer.TrySetException(new InvalidOperationException($"The adapter: {error.GetString()}"));
        else answer.TrySetResult(said.Clone());
    }

    private static long Number(JsonElement id) => long.Parse(id.GetString()!, CultureInfo.InvariantCulture);

    private sealed class Follower(ProgramServer server, long id, ChannelReader<Told> told) : IFollower
    {
        public async ValueTask<Told?> NextAsync(CancellationToken cancellationToken) =>
            await told.WaitToReadAsync(cancellationToken) && told.TryRead(out var next) ? next : null;

        public async ValueTask DisposeAsync()
        {
            server.followed.TryRemove(id, out _);
            await server.AskAsync(server.NextId(), "leave", id.ToString(CultureInfo.InvariantCulture), null, null, CancellationToken.None);
        }
    }
}
