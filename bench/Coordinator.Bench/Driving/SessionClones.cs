using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Coordinator.Ports;
using Npgsql;

namespace Coordinator.Bench.Driving;

/// <summary>A session, and a key of the organization that it is in.</summary>
internal sealed record OwnedSession(string Id, string Key);

/// <summary>
/// Writes sessions that sleep again and again into the database of a running host, each time under ids of its own: session, messages, runs and
/// boxes, in columns and in what is kept as JSON. The organization, the incarnation and all else are the original's, the times are spread over a
/// month. A copy is therefore what the host would have written, and it can wake it.
/// </summary>
internal sealed partial class SessionClones : IAsyncDisposable
{
    private static readonly string[] Tables = ["session_head", "session_view", "session_record", "session_snapshot"];

    private static readonly TimeSpan Spread = TimeSpan.FromDays(30);

    private readonly NpgsqlDataSource source;
    private readonly Dictionary<string, string> renewed = new(StringComparer.Ordinal); // of one copy: a session's records name its ids again and again

    private SessionClones(NpgsqlDataSource source) => this.source = source;

    public static async Task<SessionClones> OpenAsync(HostProcess host, CancellationToken cancellationToken) => new(await Administration.OpenAsync(host, cancellationToken));

    /// <summary>Copies each of the sessions so many times; the copies.</summary>
    public async Task<IReadOnlyList<OwnedSession>> AddAsync(IReadOnlyList<OwnedSession> sessions, int times, CancellationToken cancellationToken)
    {
        var ids = sessions.Select(session => Value(session.Id)).ToArray();
        foreach (var table in Tables) await AddAsync(table, ids, times, cancellationToken);
        await Administration.SettleAsync(source, cancellationToken);
        return [.. from session in sessions from copy in Enumerable.Range(0, times) select session with { Id = Renew(session.Id, copy) }];
    }

    /// <summary>How many sessions sleep: nobody holds them, and nothing is to wake them.</summary>
    public async Task<long> CountAsleepAsync(CancellationToken cancellationToken)
    {
        await using var command = source.CreateCommand("SELECT count(*) FROM session_head WHERE host IS NULL AND wake_at IS NULL AND version > 0");
        return (long)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    public ValueTask DisposeAsync() => source.DisposeAsync();

    private async Task AddAsync(string table, Guid[] sessions, int times, CancellationToken cancellationToken)
    {
        var (columns, types, rows) = await ReadAsync(table, sessions, cancellationToken);
        await using var connection = await source.OpenConnectionAsync(cancellationToken);
        await using var writer = await connection.BeginBinaryImportAsync($"COPY {table} ({string.Join(", ", columns)}) FROM STDIN (FORMAT binary)", cancellationToken);
        for (var copy = 0; copy < times; copy++)
        {
            renewed.Clear();
            var earlier = Spread * ((copy + 0.5) / times);
            foreach (var row in rows)
            {
                await writer.StartRowAsync(cancellationToken);
                for (var i = 0; i < row.Length; i++) await WriteAsync(writer, Renew(columns[i], row[i], copy, earlier), types[i], cancellationToken);
            }
        }

        await writer.CompleteAsync(cancellationToken);
    }

    private async Task<(string[] Columns, string[] Types, List<object[]> Rows)> ReadAsync(string table, Guid[] sessions, CancellationToken cancellationToken)
    {
        await using var command = source.CreateCommand($"SELECT * FROM {table} WHERE session = ANY ($1)");
        command.Parameters.Add(new() { Value = sessions });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var rows = new List<object[]>();
        while (await reader.ReadAsync(cancellationToken))
        {
            var row = new object[reader.FieldCount];
            reader.GetValues(row);
            rows.Add(row);
        }

        var fields = Enumerable.Range(0, reader.FieldCount);
        return ([.. fields.Select(reader.GetName)], [.. fields.Select(reader.GetDataTypeName)], rows);
    }

    private static Task WriteAsync(NpgsqlBinaryImporter writer, object value, string type, CancellationToken cancellationToken) =>
        value is DBNull ? writer.WriteNullAsync(cancellationToken) : writer.WriteAsync(value, type, cancellationToken);

    private object Renew(string column, object value, int copy, TimeSpan earlier) => value switch
    {
        Guid id when column == "session" => Renew(id, copy),
        byte[] json => Encoding.UTF8.GetBytes(Ids().Replace(Encoding.UTF8.GetString(json), id => Known(id.Value, copy))),
        DateTime at => at - earlier,
        _ => value,
    };

    private string Known(string id, int copy)
    {
        if (!renewed.TryGetValue(id, out var known)) renewed.Add(id, known = Renew(id, copy));
        return known;
    }

    private static string Renew(string id, int copy) => PrefixedId.Format(id[..3], Renew(Value(id), copy));

    private static Guid Renew(Guid id, int copy) => PrefixedId.Derive("bench", id.ToString(), copy.ToString(CultureInfo.InvariantCulture));

    private static Guid Value(string id) => PrefixedId.TryParse(id[..3], id, out var value) ? value : throw new FormatException($"{id} is no id.");

    /// <summary>Whatever is a session's own. Organizations, people and keys stay who they are.</summary>
    [GeneratedRegex("(?:ses|msg|box|run|per)_[0-7][0-9a-hjkmnp-tv-z]{25}")]
    private static partial Regex Ids();
}
