using System.IO.Compression;
using System.Security.Cryptography;
using System.Text.Json;
using Coordinator.Ports;
using Npgsql;

namespace Coordinator.Adapters.Postgres.Backup;

/// <summary>
/// Writes the whole database into a folder and reads it back. One snapshot of the database gives every table, so the copy is
/// of one moment, while hosts go on writing. It needs no program of PostgreSQL's, and goes into another major version.
/// </summary>
internal static class DatabaseCopy
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    public static async Task<BackupManifest> WriteAsync(NpgsqlConnection connection, string folder, DateTimeOffset madeAt, CancellationToken cancellationToken)
    {
        await using var snapshot = await connection.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead, cancellationToken);
        var migrations = await BackupSchema.MigrationsAsync(connection, cancellationToken);
        var (incarnation, sessions) = await SessionsAsync(connection, cancellationToken);
        var tables = new List<BackupTable>();
        foreach (var (table, columns) in await BackupSchema.TablesAsync(connection, cancellationToken))
        {
            var file = $"{table}.copy.gz";
            await using var rows = await connection.BeginRawBinaryCopyAsync($"COPY (SELECT {List(columns)} FROM {Quote(table)}) TO STDOUT (FORMAT BINARY)", cancellationToken);
            tables.Add(new(table, columns, file, await WriteFileAsync(rows, Path.Combine(folder, file), cancellationToken)));
        }

        await snapshot.CommitAsync(cancellationToken);
        var manifest = new BackupManifest(BackupManifest.CurrentFormat, madeAt, incarnation, sessions, migrations, tables);
        await using var stream = Create(Path.Combine(folder, BackupManifest.FileName));
        await JsonSerializer.SerializeAsync(stream, manifest, BackupJson.Default.BackupManifest, cancellationToken);
        stream.Flush(flushToDisk: true);
        return manifest;
    }

    /// <summary>The manifest of a copy every byte of which is as it was written.</summary>
    /// <exception cref="PortException"><see cref="PortFailureKind.Rejected"/>: there is no copy, or it is damaged, or of a form this release does not know.</exception>
    public static async Task<BackupManifest> VerifyAsync(string folder, CancellationToken cancellationToken)
    {
        var manifest = await ReadManifestAsync(Path.Combine(folder, BackupManifest.FileName), cancellationToken);
        if (manifest.Format != BackupManifest.CurrentFormat) throw Refused($"The copy of the database in {folder} has the form {manifest.Format}, which this release does not know. Restore it with the release that made it.");
        foreach (var table in manifest.Tables)
        {
            var path = Path.Combine(folder, Path.GetFileName(table.File));
            if (!File.Exists(path)) throw Refused($"{path} is missing; the backup is not whole.");
            await using var file = File.OpenRead(path);
            if (Convert.ToHexStringLower(await SHA256.HashDataAsync(file, cancellationToken)) != table.Sha256) throw Refused($"{path} is not what was written; the backup is damaged.");
        }

        return manifest;
    }

    /// <summary>Fills empty tables, within the connection's transaction. Row-level security, which COPY cannot work under, is back when it ends.</summary>
    public static async Task ReadAsync(NpgsqlConnection connection, string folder, BackupManifest manifest, CancellationToken cancellationToken)
    {
        foreach (var table in manifest.Tables)
        {
            await ExecuteAsync(connection, $"ALTER TABLE {Quote(table.Name)} NO FORCE ROW LEVEL SECURITY", cancellationToken);
            await using (var rows = await connection.BeginRawBinaryCopyAsync($"COPY {Quote(table.Name)} ({List(table.Columns)}) FROM STDIN (FORMAT BINARY)", cancellationToken))
            {
                await using var file = new GZipStream(File.OpenRead(Path.Combine(folder, Path.GetFileName(table.File))), CompressionMode.Decompress);
                await file.CopyToAsync(rows, cancellationToken);
            }

            if (await IsProtectedAsync(connection, table.Name, cancellationToken)) await ExecuteAsync(connection, $"ALTER TABLE {Quote(table.Name)} FORCE ROW LEVEL SECURITY", cancellationToken);
        }
    }

    private static PortException Refused(string why) => new(PortFailureKind.Rejected, why);

    private static async Task<BackupManifest> ReadManifestAsync(string path, CancellationToken cancellationToken)
    {
        if (!File.Exists(path)) throw Refused($"There is no {path}: this is no backup, or one that was not finished.");
        try
        {
            await using var stream = File.OpenRead(path);
            return await JsonSerializer.DeserializeAsync(stream, BackupJson.Default.BackupManifest, cancellationToken) ?? throw Refused($"{path} is empty.");
        }
        catch (JsonException failure)
        {
            throw new PortException(PortFailureKind.Rejected, $"{path} is damaged.", inner: failure);
        }
    }

    private static async Task<string> WriteFileAsync(Stream rows, string path, CancellationToken cancellationToken)
    {
        await using (var file = Create(path))
        {
            await using (var packed = new GZipStream(file, CompressionLevel.Fastest, leaveOpen: true)) await rows.CopyToAsync(packed, cancellationToken);
            file.Flush(flushToDisk: true);
        }

        await using var written = File.OpenRead(path);
        return Convert.ToHexStringLower(await SHA256.HashDataAsync(written, cancellationToken));
    }

    private static FileStream Create(string path)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = OwnerOnly;
        return new(path, options);
    }

    private static async Task<(int Incarnation, long Sessions)> SessionsAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("SELECT coalesce(max(incarnation), 0), count(*) FILTER (WHERE version > 0) FROM session_head", connection);
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        await row.ReadAsync(cancellationToken);
        return (row.GetInt32(0), row.GetInt64(1));
    }

    private static async Task<bool> IsProtectedAsync(NpgsqlConnection connection, string table, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("SELECT relrowsecurity FROM pg_class WHERE oid = to_regclass($1)", connection) { Parameters = { new() { Value = Quote(table) } } };
        return await command.ExecuteScalarAsync(cancellationToken) is true;
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private static string List(IEnumerable<string> columns) => string.Join(", ", columns.Select(Quote));

    private static string Quote(string name) => $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
}
