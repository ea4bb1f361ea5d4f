using System.Text.Json.Serialization;

namespace Coordinator.Adapters.Postgres.Backup;

/// <summary>What a copy of the database holds and by which schema it was made; written last, so that a folder with one is whole.</summary>
/// <param name="Incarnation">The highest of any session: what a restore must go beyond.</param>
internal sealed record BackupManifest(int Format, DateTimeOffset MadeAt, int Incarnation, long Sessions, IReadOnlyList<BackupMigration> Migrations, IReadOnlyList<BackupTable> Tables)
{
    public const int CurrentFormat = 1;

    public const string FileName = "manifest.json";
}

internal sealed record BackupMigration(int Number, string Name, string Checksum);

/// <summary>One table's rows, in PostgreSQL's binary COPY form, gzipped, in <see cref="File"/>.</summary>
internal sealed record BackupTable(string Name, IReadOnlyList<string> Columns, string File, string Sha256);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(BackupManifest))]
internal sealed partial class BackupJson : JsonSerializerContext;
