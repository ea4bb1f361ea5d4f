using System.Text.Json;
using System.Text.Json.Serialization;
using Coordinator.Client;

namespace Coordinator.Cli;

/// <summary>Which host to talk to and with which key: from the options, the environment, or the file that <c>login</c> wrote (mode 0600).</summary>
internal sealed record Credentials(string Url, string ApiKey)
{
    public const string DefaultUrl = "http://localhost:8787";

    private static string FilePath => Path.Combine(
        Environment.GetEnvironmentVariable("XDG_CONFIG_HOME") is { Length: > 0 } config ? config : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".config"),
        "coordinator",
        "credentials.json");

    public static string UrlFrom(string? option) =>
        option ?? Environment.GetEnvironmentVariable("COORDINATOR_URL") ?? Load()?.Url ?? DefaultUrl;

    /// <summary>A client that is signed in, or an error that says how to sign in.</summary>
    public static CoordinatorClient Connect(string? url, string? key)
    {
        key ??= Environment.GetEnvironmentVariable("COORDINATOR_API_KEY") ?? Load()?.ApiKey
            ?? throw new CoordinatorException(401, "not_signed_in", "Not signed in. Run: coordinator login --link <the sl_… of the host's sign-in line>");
        return new CoordinatorClient(new Uri(UrlFrom(url)), key);
    }

    /// <summary>Writes the file; returns its path.</summary>
    public string Save()
    {
        var path = FilePath;
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using var file = new FileStream(path, options);
        JsonSerializer.Serialize(file, this, CliJson.Default.Credentials);
        return path;
    }

    public override string ToString() => $"credentials for {Url}";

    private static Credentials? Load() =>
        File.Exists(FilePath) ? JsonSerializer.Deserialize(File.ReadAllText(FilePath), CliJson.Default.Credentials) : null;
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(Credentials))]
internal sealed partial class CliJson : JsonSerializerContext;
