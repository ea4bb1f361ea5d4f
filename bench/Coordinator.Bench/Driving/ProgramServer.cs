using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Threading.Channels;

namespace Coordinator.Bench.Driving;

/// <summary>
/// A server behind an adapter that is a program of its own, in any language: one JSON object a line on its standard input
/// and output (docs/benchmarks.md, "Measuring another server"). Its time is in every figure, as the driver's own is. Whoever asks
/// one that has ended, or waits for it when it ends, gets an <see cref="AdapterEndedException"/>; whoever waits longer than
/// <see cref="Patience"/> a <see cref="TimeoutException"/>.
/// </summary>
internal sealed class ProgramServer : IServer
{
    /// <summary>How long an answer, or the next thing that is told, is waited for.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    /// <summary>How long a program that says nothing more may take to end.</summary>
    public static readonly TimeSpan Ending = TimeSpan.FromSeconds(10);

    private readonly string command;
    private readonly TimeProvider time;
    private readonly Process process;
    private readonly ConcurrentDictionary<long, TaskCompletionSource<JsonElement>> waiting = new();
    private readonly ConcurrentDictionary<long, Channel<Told>> followed = new();
    private readonly SemaphoreSlim writing = new(1);
    private readonly Task reading;
    private long lastId;

    /// <summary>How the adapter ended, once it has. Written before those who wait are told, and read behind joining them: nobody waits on.</summary>
    private volatile string? ended;

    public ProgramServer(TimeProvider time, string command, IEnumerable<string> arguments)
    {
        (this.time, this.command) = (time, command);
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
        try
        {
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // Of what it did not read any more; it is over all the same.
        }

        if (!await HasExitedAsync()) process.Kill(entireProcessTree: true);
        await reading.WaitAsync(Ending, time);
        process.Dispose();
        writing.Dispose();
    }

    private long NextId() => Interlocked.Increment(ref lastId);

    private async Task<JsonElement> AskAsync(long id, string what, string? session, string? text, string? after, CancellationToken cancellationToken)
    {
        var answer = waiting[id] = new(TaskCreationOptions.RunContinuationsAsynchronously);
        try
        {
            if (ended is { } how) throw new AdapterEndedException(how);
            var fields = new Dictionary<string, string?>(StringComparer.Ordinal) { ["id"] = id.ToString(CultureInfo.InvariantCulture), ["do"] = what, ["session"] = session, ["text"] = text, ["after"] = after };
            return await InPatienceAsync(AnswerAsync(JsonSerializer.Serialize(fields), answer.Task, cancellationToken), $"did not answer '{what}'", cancellationToken);
        }
        finally
        {
            waiting.TryRemove(id, out _);
        }
    }

    private async Task<JsonElement> AnswerAsync(string question, Task<JsonElement> answer, CancellationToken cancellationToken)
    {
        await writing.WaitAsync(cancellationToken);
        try
        {
            await process.StandardInput.WriteLineAsync(question.AsMemory(), cancellationToken);
            await process.StandardInput.FlushAsync(cancellationToken);
        }
        catch (IOException)
        {
            // It reads no more. Its output will say how it ended; or it says nothing, and is waited for as it would be for any answer.
        }
        finally
        {
            writing.Release();
        }

        return await answer;
    }

    private async Task<T> InPatienceAsync<T>(Task<T> coming, string failing, CancellationToken cancellationToken)
    {
        try
        {
            return await coming.WaitAsync(Patience, time, cancellationToken);
        }
        catch (TimeoutException)
        {
            throw new TimeoutException($"The adapter ({command}) {failing} within {Patience.TotalMinutes:0} minutes.");
        }
    }

    /// <summary>Lines are answers (<c>id</c>, and <c>error</c> when it failed) or things told to a follower (<c>of</c>, the id of its <c>follow</c>).</summary>
    private async Task ReadAsync()
    {
        string? wrong = null;
        while (wrong is null && await process.StandardOutput.ReadLineAsync() is { } line) wrong = Take(line) ? null : line;

        if (wrong is not null) ended = $"The adapter ({command}) said what the protocol has no word for: {wrong}";
        else if (await HasExitedAsync()) ended = $"The adapter ({command}) ended with exit code {process.ExitCode}.";
        else ended = $"The adapter ({command}) closed its output, though it still runs.";
        foreach (var answer in waiting.Values) answer.TrySetException(new AdapterEndedException(ended));
        foreach (var told in followed.Values) told.Writer.TryComplete(new AdapterEndedException(ended));
    }

    private async Task<bool> HasExitedAsync()
    {
        try
        {
            await process.WaitForExitAsync().WaitAsync(Ending, time);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    /// <summary>False when the line is none of the protocol's.</summary>
    private bool Take(string line)
    {
        try
        {
            using var json = JsonDocument.Parse(line);
            var said = json.RootElement;
            if (said.TryGetProperty("of", out var of)) Tell(Number(of), said);
            else if (waiting.TryGetValue(Number(said.GetProperty("id")), out var answer)) Answer(answer, said);
            return true;
        }
        catch (Exception exception) when (exception is JsonException or FormatException or InvalidOperationException or KeyNotFoundException or ArgumentNullException or OverflowException)
        {
            return false;
        }
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
        public async ValueTask<Told?> NextAsync(CancellationToken cancellationToken)
        {
            if (told.TryRead(out var next)) return next;
            return await server.InPatienceAsync(told.WaitToReadAsync(cancellationToken).AsTask(), "told a follower nothing", cancellationToken) && told.TryRead(out next) ? next : null;
        }

        public async ValueTask DisposeAsync()
        {
            server.followed.TryRemove(id, out _);
            if (server.ended is null) await server.AskAsync(server.NextId(), "leave", id.ToString(CultureInfo.InvariantCulture), null, null, CancellationToken.None);
        }
    }
}
