using System.Text.Json;
using Coordinator.Ports;
using Coordinator.Ports.Session;
using Npgsql;

namespace Coordinator.Adapters.Postgres.Journal;

/// <summary>Takes the events out of records and leaves their facts, in a transaction of the caller's that has their head locked.</summary>
internal static class RecordEmptying
{
    private static readonly string ReadSql = $"""
        SELECT version, last_seq, payload FROM session_record
        WHERE org = $1 AND session = $2 AND version > greatest($3, ({JournalReader.PlaceSql})) AND last_seq >= first_seq AND first_seq >= $4 AND last_seq <= $5
        ORDER BY version LIMIT 100
        """;

    /// <summary>Each record is looked up by its key, and apart, as in <see cref="JournalReader.PlaceSql"/>; the head's lock keeps it where it was found.</summary>
    public const string WriteSql = """
        UPDATE session_record AS r SET payload = w.payload
        FROM unnest($3, $4) AS w (version, payload) CROSS JOIN LATERAL (
            SELECT ctid FROM session_record WHERE org = $1 AND session = $2 AND version = w.version OFFSET 0) AS place
        WHERE r.ctid = place.ctid
        """;

    /// <summary>Empties the records of which all events are within a range, a hundred at a time; returns the last event that is.</summary>
    /// <exception cref="JsonException">A record is not what was written.</exception>
    public static async Task<long> EmptyAsync(NpgsqlConnection connection, SessionKey key, EventRange range, CancellationToken cancellationToken)
    {
        var (version, last) = (0L, 0L);
        while (await ReadAsync(connection, key, version, range, cancellationToken) is { Versions.Count: > 0 } part)
        {
            await using var write = Command(connection, WriteSql, key.Organization.Value, key.Session.Value, part.Versions, part.Payloads);
            await write.ExecuteNonQueryAsync(cancellationToken);
            (version, last) = (part.Versions[^1], part.Last);
        }

        return last;
    }

    /// <summary>A statement with its parameters in order.</summary>
    public static NpgsqlCommand Command(NpgsqlConnection connection, string sql, params object[] values)
    {
        var command = new NpgsqlCommand(sql, connection);
        foreach (var value in values) command.Parameters.Add(new() { Value = value });
        return command;
    }

    private static async Task<(List<long> Versions, List<byte[]> Payloads, long Last)> ReadAsync(NpgsqlConnection connection, SessionKey key, long after, EventRange range, CancellationToken cancellationToken)
    {
        await using var command = Command(connection, ReadSql, key.Organization.Value, key.Session.Value, after, range.From, range.To);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var (versions, payloads, last) = (new List<long>(), new List<byte[]>(), 0L);
        while (await reader.ReadAsync(cancellationToken))
        {
            versions.Add(reader.GetInt64(0));
            last = reader.GetInt64(1);
            payloads.Add(WithoutEvents(reader.GetFieldValue<byte[]>(2)));
        }

        return (versions, payloads, last);
    }

    /// <summary>The very bytes of the facts: what is kept is not written anew in another way. Not by the server, whose JSON has no NUL.</summary>
    private static byte[] WithoutEvents(byte[] payload)
    {
        var reader = new Utf8JsonReader(payload);
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isFacts = reader.ValueTextEquals("facts"u8);
            reader.Read();
            var start = (int)reader.TokenStartIndex;
            reader.Skip();
            if (isFacts) return [.. "{\"facts\":"u8, .. payload.AsSpan(start, (int)reader.BytesConsumed - start), .. ",\"events\":null}"u8];
        }

        throw new JsonException("It has no facts.");
    }
}
