using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Coordinator.Ports;
using Coordinator.Ports.Session;

namespace Coordinator.Modules.Sessions.Events;

/// <summary>
/// Collects the envelopes of one record, serialized once: these bytes are journaled, hashed and sent to every client.
/// </summary>
public sealed class EventBuffer
{
    private readonly ArrayBufferWriter<byte> buffer = new(1024);
    private readonly List<EventSlice> slices = [];

    public int Count => slices.Count;

    public ReadOnlyMemory<byte> Utf8 => buffer.WrittenMemory;

    public IReadOnlyList<EventSlice> Slices => slices;

    /// <summary>Appends one envelope whose data is already JSON; returns its bytes.</summary>
    public ReadOnlySpan<byte> Append(int incarnation, long seq, DateTimeOffset at, string type, MessageId? message, ReadOnlySpan<byte> data)
    {
        if (slices.Count > 0) buffer.Write(","u8);
        var start = buffer.WrittenCount;
        buffer.Write("{\"cursor\":\""u8);
        Write(incarnation);
        buffer.Write("."u8);
        Write(seq);
        buffer.Write("\",\"seq\":"u8);
        Write(seq);
        buffer.Write(",\"at\":\""u8);
        WriteTime(at);
        buffer.Write("\",\"type\":\""u8);
        WriteAscii(type);
        if (message is { } id)
        {
            buffer.Write("\",\"messageId\":\""u8);
            WriteAscii(id.ToString());
        }

        buffer.Write("\",\"data\":"u8);
        buffer.Write(data);
        buffer.Write("}"u8);
        slices.Add(new(seq, start, buffer.WrittenCount - start));
        return buffer.WrittenSpan[start..];
    }

    private void Write(long number)
    {
        var span = buffer.GetSpan(20);
        Utf8Formatter.TryFormat(number, span, out var written);
        buffer.Advance(written);
    }

    private void WriteTime(DateTimeOffset at)
    {
        var span = buffer.GetSpan(24);
        at.UtcDateTime.TryFormat(span, out var written, "yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
        buffer.Advance(written);
    }

    private void WriteAscii(string text)
    {
        var span = buffer.GetSpan(text.Length);
        buffer.Advance(Encoding.ASCII.GetBytes(text, span));
    }
}

/// <summary>Writes the data object of an event.</summary>
public static class EventData
{
    public static byte[] Write(Action<Utf8JsonWriter> properties)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
        writer.WriteStartObject();
        properties(writer);
        writer.WriteEndObject();
        writer.Flush();
        return buffer.WrittenSpan.ToArray();
    }
}
