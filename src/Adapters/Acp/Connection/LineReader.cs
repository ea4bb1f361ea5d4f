using System.Buffers;
using System.IO.Pipelines;
using System.Text.Json;

namespace Coordinator.Adapters.Acp.Connection;

/// <summary>Reads JSON lines. A line longer than <see cref="MaxLineBytes"/> is skipped, so that no agent can fill our memory.</summary>
internal sealed class LineReader(Stream stream)
{
    public const int MaxLineBytes = 32 * 1024 * 1024;

    private readonly PipeReader pipe = PipeReader.Create(stream, new StreamPipeReaderOptions(bufferSize: 64 * 1024));
    private long searched;
    private bool skipping;

    /// <summary>The next line's value, <c>Undefined</c> for one that is no JSON; null at the end.</summary>
    public async Task<JsonElement?> NextAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var read = await pipe.ReadAsync(cancellationToken);
            var buffer = read.Buffer;
            if (buffer.Slice(searched).PositionOf((byte)'\n') is { } end)
            {
                searched = 0;
                var value = skipping ? default : Parse(buffer.Slice(0, end));
                skipping = false;
                pipe.AdvanceTo(buffer.GetPosition(1, end));
                return value;
            }

            if (read.IsCompleted) return null;
            searched = buffer.Length; // a long line is not searched from its start again and again
            if (buffer.Length > MaxLineBytes)
            {
                (skipping, searched) = (true, 0);
                pipe.AdvanceTo(buffer.End);
            }
            else
            {
                pipe.AdvanceTo(buffer.Start, buffer.End);
            }
        }
    }

    private static JsonElement Parse(ReadOnlySequence<byte> line)
    {
        try
        {
            var reader = new Utf8JsonReader(line);
            return JsonElement.ParseValue(ref reader);
        }
        catch (JsonException)
        {
            return default;
        }
    }
}
