using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Coordinator.Ports.Session;

namespace Coordinator.Ports.Record;

/// <summary>
/// How a session's runs are chained, so that anybody can check a history without us: the hash of a run is the
/// lower-case hex SHA-256 over the previous run's hash (64 characters), a line feed, and the run's canonical JSON.
/// </summary>
public static class RunChain
{
    /// <summary>What the first run of a session has before it.</summary>
    public static string Genesis { get; } = new('0', 64);

    private const string TimeFormat = "yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'";
    private static readonly JsonWriterOptions Canonical = new() { Indented = false, SkipValidation = false };

    /// <summary>The hash of <paramref name="run"/> when it follows <paramref name="previousHash"/>.</summary>
    public static string HashOf(string previousHash, RunRecord run)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.ASCII.GetBytes(previousHash));
        hash.AppendData("\n"u8);
        hash.AppendData(CanonicalJson(run));
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>
    /// The run as JSON in UTF-8 with every field, always in this order, no white space, no escape that is not needed, times
    /// in UTC cut to the microsecond (what every store keeps), and the cost as a plain number without trailing zeros.
    /// </summary>
    public static byte[] CanonicalJson(RunRecord run)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        using (var json = new Utf8JsonWriter(buffer, Canonical))
        {
            json.WriteStartObject();
            WriteIdentity(json, run);
            WriteWork(json, run);
            WriteUsage(json, run.Usage);
            WriteCourse(json, run);
            json.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>A time as it is kept: in UTC, cut to the microsecond.</summary>
    public static DateTimeOffset Kept(DateTimeOffset time)
    {
        var utc = time.ToUniversalTime();
        return utc.AddTicks(-(utc.Ticks % TimeSpan.TicksPerMicrosecond));
    }

    /// <summary>
    /// True when a stored run follows one with <paramref name="previousHash"/> and has the hash of its content. A chain
    /// is whole when this holds from <see cref="Genesis"/> on; runs cut off at its end are not noticed by it.
    /// </summary>
    public static bool Follows(string previousHash, StoredRun stored) =>
        stored.PreviousHash == previousHash && stored.Hash == HashOf(previousHash, stored.Run);

    private static void WriteIdentity(Utf8JsonWriter json, RunRecord run)
    {
        WriteText(json, "id"u8, run.Id.ToString());
        WriteText(json, "organization"u8, run.Organization.ToString());
        WriteText(json, "session"u8, run.Session.ToString());
        WriteText(json, "message"u8, run.Message.ToString());
        json.WriteNumber("ordinal"u8, run.Ordinal);
        json.WriteStartObject("requestedBy"u8);
        WriteText(json, "kind"u8, run.RequestedBy.Kind switch
        {
            PrincipalKind.User => "user",
            PrincipalKind.ApiKey => "apiKey",
            _ => "system",
        });
        WriteText(json, "id"u8, run.RequestedBy.Id);
        WriteText(json, "displayName"u8, run.RequestedBy.DisplayName);
        json.WriteEndObject();
    }

    private static void WriteWork(Utf8JsonWriter json, RunRecord run)
    {
        WriteText(json, "model"u8, run.Model);
        WriteText(json, "agent"u8, run.Agent);
        WriteText(json, "sandbox"u8, run.Sandbox.ToString());
        json.WriteNumber("generation"u8, run.Generation);
        WriteText(json, "sandboxProvider"u8, run.SandboxProvider);
        WriteText(json, "outcome"u8, run.Outcome);
        WriteText(json, "failureCode"u8, run.FailureCode);
    }

    private static void WriteUsage(Utf8JsonWriter json, ModelUsage usage)
    {
        json.WriteStartObject("usage"u8);
        WriteText(json, "model"u8, usage.Model);
        json.WriteNumber("inputTokens"u8, usage.InputTokens);
        json.WriteNumber("outputTokens"u8, usage.OutputTokens);
        json.WriteNumber("reasoningTokens"u8, usage.ReasoningTokens);
        json.WriteNumber("cacheReadTokens"u8, usage.CacheReadTokens);
        json.WriteNumber("cacheWriteTokens"u8, usage.CacheWriteTokens);
        json.WritePropertyName("costUsd"u8);
        json.WriteRawValue(usage.CostUsd.ToString("0.############################", CultureInfo.InvariantCulture));
        json.WriteEndObject();
    }

    private static void WriteCourse(Utf8JsonWriter json, RunRecord run)
    {
        WriteTime(json, "queuedAt"u8, run.QueuedAt);
        WriteTime(json, "startedAt"u8, run.StartedAt);
        WriteTime(json, "endedAt"u8, run.EndedAt);
        json.WriteNumber("firstSeq"u8, run.FirstSeq);
        json.WriteNumber("lastSeq"u8, run.LastSeq);
        WriteText(json, "eventsDigest"u8, run.EventsDigest);
    }

    /// <summary>A string with the fewest escapes JSON allows, as RFC 8785 has it, so that other programs write the same bytes.</summary>
    private static void WriteText(Utf8JsonWriter json, ReadOnlySpan<byte> name, string? text)
    {
        json.WritePropertyName(name);
        if (text is null)
        {
            json.WriteNullValue();
            return;
        }

        var quoted = new StringBuilder("\"", text.Length + 2);
        foreach (var character in text) _ = character switch
        {
            '"' => quoted.Append("\\\""),
            '\\' => quoted.Append("\\\\"),
            '\b' => quoted.Append("\\b"),
            '\t' => quoted.Append("\\t"),
            '\n' => quoted.Append("\\n"),
            '\f' => quoted.Append("\\f"),
            '\r' => quoted.Append("\\r"),
            < ' ' => quoted.Append(CultureInfo.InvariantCulture, $"\\u{(int)character:x4}"),
            _ => quoted.Append(character),
        };
        json.WriteRawValue(quoted.Append('"').ToString());
    }

    private static void WriteTime(Utf8JsonWriter json, ReadOnlySpan<byte> name, DateTimeOffset time) =>
        WriteText(json, name, Kept(time).ToString(TimeFormat, CultureInfo.InvariantCulture));
}
