using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Threading.Channels;

namespace Coordinator.Adapters.Acp.Connection;

/// <summary>
/// JSON-RPC 2.0, one message per line, over an agent's input and output. Answers go to their callers; what the agent
/// says on its own, and the answer to a prompt, go in order to the turn that listens, and wait for it: while it does
/// not take them, nothing is read. A line that is no JSON object is left out.
/// </summary>
internal sealed class AcpConnection : IAsyncDisposable
{
    private const int MethodNotFound = -32601;
    private static readonly TimeSpan LastRead = TimeSpan.FromSeconds(1);

    private readonly Stream input;
    private readonly TimeProvider time;
    private readonly CancellationTokenSource stop = new();
    private readonly SemaphoreSlim writing = new(1, 1);
    private readonly ConcurrentDictionary<long, TaskCompletionSource<JsonElement>> calls = new();
    private readonly Task reading;
    private volatile Listener? listener;
    private volatile bool closed;
    private long lastId;
    private long heard;

    public AcpConnection(Stream input, Stream output, TimeProvider time)
    {
        this.input = input;
        this.time = time;
        reading = ReadAsync(new LineReader(output));
    }

    /// <summary>How much the agent has said so far, in messages that were read and handed on.</summary>
    public long Heard => Interlocked.Read(ref heard);

    /// <summary>Calls the agent and waits for its answer.</summary>
    /// <exception cref="AcpCallException">It answered an error, is gone, or took longer than <paramref name="timeout"/>.</exception>
    public async Task<JsonElement> CallAsync(string method, JsonObject parameters, TimeSpan timeout, CancellationToken cancellationToken)
    {
        var id = Interlocked.Increment(ref lastId);
        var answer = new TaskCompletionSource<JsonElement>(TaskCreationOptions.RunContinuationsAsynchronously);
        calls[id] = answer;
        using var late = new CancellationTokenSource(timeout, time);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancellationToken);
        try
        {
            await SendAsync(Request(id, method, parameters), limit.Token);
            if (closed) throw Gone(method);
            var message = await answer.Task.WaitAsync(limit.Token);
            return message.Member("error") is { } error ? throw Refused(method, error) : message.Member("result") ?? default;
        }
        catch (OperationCanceledException e) when (late.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new AcpCallException(string.Create(CultureInfo.InvariantCulture, $"The agent did not answer {method} within {timeout.TotalSeconds:0.#} s."), inner: e);
        }
        finally
        {
            calls.TryRemove(id, out _);
        }
    }

    /// <summary>
    /// Sends a prompt; from now on everything the agent says goes to <paramref name="messages"/>, the prompt's answer
    /// last. The writer is completed when the connection ends.
    /// </summary>
    public async Task PromptAsync(JsonObject parameters, ChannelWriter<JsonElement> messages, CancellationToken cancellationToken)
    {
        var id = Interlocked.Increment(ref lastId);
        listener = new Listener(messages, id);
        if (closed) messages.TryComplete();
        await SendAsync(Request(id, "session/prompt", parameters), cancellationToken);
    }

    public void StopListening() => listener = null;

    public Task NotifyAsync(string method, JsonObject parameters, CancellationToken cancellationToken) =>
        SendAsync(new JsonObject { ["jsonrpc"] = "2.0", ["method"] = method, ["params"] = parameters }, cancellationToken);

    /// <summary>Answers a call of the agent; <paramref name="id"/> as the agent sent it.</summary>
    public Task AnswerAsync(JsonElement id, JsonObject result, CancellationToken cancellationToken) =>
        SendAsync(new JsonObject { ["jsonrpc"] = "2.0", ["id"] = JsonNode.Parse(id.GetRawText()), ["result"] = result }, cancellationToken);

    /// <summary>Declines a call of the agent: we have announced no capability that it could use.</summary>
    public Task DeclineAsync(JsonElement id, string method, CancellationToken cancellationToken) =>
        SendAsync(
            new JsonObject { ["jsonrpc"] = "2.0", ["id"] = JsonNode.Parse(id.GetRawText()), ["error"] = new JsonObject { ["code"] = MethodNotFound, ["message"] = $"Method not found: {method}" } },
            cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await Task.WhenAny(reading, Task.Delay(LastRead, time)); // a process that inherited the pipe may keep a read pending
        writing.Dispose();
    }

    private static JsonObject Request(long id, string method, JsonObject parameters) =>
        new() { ["jsonrpc"] = "2.0", ["id"] = id, ["method"] = method, ["params"] = parameters };

    private static AcpCallException Gone(string method) => new($"The agent ended before it answered {method}.");

    private static AcpCallException Refused(string method, JsonElement error) => new($"The agent refused {method}: {error.Text("message")}", error);

    private async Task SendAsync(JsonObject message, CancellationToken cancellationToken)
    {
        var line = Encoding.UTF8.GetBytes(message.ToJsonString() + "\n");
        await writing.WaitAsync(cancellationToken);
        try
        {
            await input.WriteAsync(line, cancellationToken);
            await input.FlushAsync(cancellationToken);
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            throw new AcpCallException("The agent no longer reads.", inner: e);
        }
        finally
        {
            writing.Release();
        }
    }

    private async Task ReadAsync(LineReader lines)
    {
        try
        {
            while (await lines.NextAsync(stop.Token) is { } line)
            {
                if (line.ValueKind == JsonValueKind.Object) await DispatchAsync(line);
                Interlocked.Increment(ref heard);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or ObjectDisposedException or AcpCallException)
        {
            // The agent, or our use of it, has ended.
        }

        closed = true;
        listener?.Messages.TryComplete();
        foreach (var call in calls.Values) call.TrySetException(Gone("the call"));
    }

    private async Task DispatchAsync(JsonElement message)
    {
        var method = message.Text("method");
        var listening = listener;
        if (method is null && message.Number("id") is { } id && id != listening?.PromptId)
        {
            if (calls.TryGetValue(id, out var call)) call.TrySetResult(message);
        }
        else if (listening is not null)
        {
            await DeliverAsync(listening, message);
        }
        else if (method is not null && message.Member("id") is { } asked)
        {
            await DeclineAsync(asked, method, stop.Token);
        }
    }

    private async Task DeliverAsync(Listener to, JsonElement message)
    {
        try
        {
            await to.Messages.WriteAsync(message, stop.Token);
        }
        catch (ChannelClosedException)
        {
            // The turn was left; nobody is told what it still does.
        }
    }

    private sealed record Listener(ChannelWriter<JsonElement> Messages, long PromptId);
}
