using System.Globalization;
using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;

namespace Coordinator.Adapters.Postgres;

/// <summary>
/// One numbered step of the schema. <see cref="Checksum"/> is the SHA-256 (hex) of its text with LF line ends, so that a
/// checkout with other line ends is the same step.
/// </summary>
internal sealed partial record Migration
{
    private Migration(int number, string name, string sql)
    {
        Number = number;
        Name = name;
        Sql = sql.TrimStart('\uFEFF').ReplaceLineEndings("\n");
        Checksum = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Sql)));
    }

    /// <summary>What it is ordered by: the four digits of its file name.</summary>
    public int Number { get; }

    /// <summary>The file's name, <c>NNNN_name.sql</c>.</summary>
    public string Name { get; }

    public string Sql { get; }

    public string Checksum { get; }

    /// <summary>Makes a step of a file's name and text; throws <see cref="FormatException"/> for a name of another form.</summary>
    public static Migration Parse(string fileName, string sql) =>
        FileName().IsMatch(fileName)
            ? new(int.Parse(fileName.AsSpan(0, 4), NumberStyles.None, CultureInfo.InvariantCulture), fileName, sql)
            : throw new FormatException($"A migration is named NNNN_name.sql; '{fileName}' is not.");

    /// <summary>The steps embedded in this assembly, in order.</summary>
    public static IReadOnlyList<Migration> Embedded()
    {
        var assembly = typeof(Migration).Assembly;
        const string Folder = "Migrations/";
        return [.. assembly.GetManifestResourceNames()
            .Where(name => name.StartsWith(Folder, StringComparison.Ordinal))
            .Select(name => Parse(name[Folder.Length..], ReadText(assembly, name)))
            .OrderBy(migration => migration.Number)];
    }

    private static string ReadText(Assembly assembly, string resource)
    {
        using var stream = assembly.GetManifestResourceStream(resource) ?? throw new InvalidOperationException($"The resource {resource} cannot be read.");
        using var reader = new StreamReader(stream, Encoding.UTF8);
        return reader.ReadToEnd();
    }

    [GeneratedRegex(@"^\d{4}_[a-z0-9_]+\.sql$", RegexOptions.CultureInvariant)]
    private static partial Regex FileName();
}
