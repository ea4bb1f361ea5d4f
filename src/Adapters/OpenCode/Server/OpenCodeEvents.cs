using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Text.Json;

namespace Coordinator.Adapters.OpenCode.Server;

/// <summary>
/// The open event stream of a server. It has no replay: what was sent while nobody read is lost, and whoever reopens
/// it reads the store again.
/// </summary>
internal sealed class OpenCodeEvents(HttpResponseMessage response, Stream stream, TimeProvider time) : IDisposable
{
    /// <summary>
    /// Reads events until the stream ends, breaks, or is silent for longer than <paramref name="silence"/> (the server
    /// has a heartbeat). An event that is no JSON is left out.
    /// </summary>
    public async IAsyncEnumerable<JsonElement> ReadAsync(TimeSpan silence, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using var items = SseParser.Create(stream, static (_, data) => Parse(data)).EnumerateAsync(cancellationToken).GetAsyncEnumerator(cancellationToken);
        while (await NextAsync(items, silence))
        {
            if (items.Current.Data.ValueKind == JsonValueKind.Object) yield return items.Current.Data;
        }
    }

    public void Dispose()
    {
        stream.Dispose();
        response.Dispose();
    }

    private async Task<bool> NextAsync(IAsyncEnumerator<SseItem<JsonElement>> items, TimeSpan silence)
    {
        var next = items.MoveNextAsync().AsTask(); // it watches the caller's token itself
        try
        {
            return await next.WaitAsync(silence, time);
        }
        catch (TimeoutException)
        {
            // Closing the connection ends the read that is still pending, so that nothing is left behind.
            Dispose();
            await next.ContinueWith(static read => _ = read.Exception, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
            return false;
        }
        catch (Exception e) when (e is IOException or HttpRequestException or ObjectDisposedException)
        {
            return false;
        }
    }

    private static JsonElement Parse(ReadOnlySpan<byte> data)
    {
        try
        {
            var reader = new Utf8JsonReader(data);
            return JsonElement.ParseValue(ref reader);
        }
        catch (JsonException)
        {
            return default;
        }
    }
}
