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
    /// The run as JSON in UTF-8 with every field, always in this order, no white space, times in UTC cut to the
    /// microsecond (what every store keeps), and the cost without trailing zeros.
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
        json.WriteString("id"u8, run.Id.ToString());
        json.WriteString("organization"u8, run.Organization.ToString());
        json.WriteString("session"u8, run.Session.ToString());
        json.WriteString("message"u8, run.Message.ToString());
        json.WriteNumber("ordinal"u8, run.Ordinal);
        json.WriteStartObject("requestedBy"u8);
        json.WriteString("kind"u8, run.RequestedBy.Kind switch
        {
            PrincipalKind.User => "user",
            PrincipalKind.ApiKey => "apiKey",
            _ => "system",
        });
        json.WriteString("id"u8, run.RequestedBy.Id);
        json.WriteString("displayName"u8, run.RequestedBy.DisplayName);
        json.WriteEndObject();
    }

    private static void WriteWork(Utf8JsonWriter json, RunRecord run)
    {
        json.WriteString("model"u8, run.Model);
        json.WriteString("agent"u8, run.Agent);
        json.WriteString("sandbox"u8, run.Sandbox.ToString());
        json.WriteNumber("generation"u8, run.Generation);
        json.WriteString("sandboxProvider"u8, run.SandboxProvider);
        json.WriteString("outcome"u8, run.Outcome);
        json.WriteString("failureCode"u8, run.FailureCode);
    }

    private static void WriteUsage(Utf8JsonWriter json, ModelUsage usage)
    {
        json.WriteStartObject("usage"u8);
        json.WriteString("model"u8, usage.Model);
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
        json.WriteString("eventsDigest"u8, run.EventsDigest);
    }

    private static void WriteTime(Utf8JsonWriter json, ReadOnlySpan<byte> name, DateTimeOffset time) =>
        json.WriteString(name, Kept(time).ToString(TimeFormat, CultureInfo.InvariantCulture));
}
