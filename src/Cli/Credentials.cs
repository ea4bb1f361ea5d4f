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

    /// <summary>The host to talk to; <see cref="UsageException"/> where what was given is no address of one.</summary>
    public static Uri UrlFrom(string? option) =>
        option is not null ? Address("--url", option)
        : Environment.GetEnvironmentVariable("COORDINATOR_URL") is { Length: > 0 } named ? Address("COORDINATOR_URL", named)
        : Load() is { } stored ? stored.Address()
        : new Uri(DefaultUrl);

    /// <summary>A client that is signed in, or an error that says how to sign in.</summary>
    public static CoordinatorClient Connect(string? url, string? key)
    {
        var host = UrlFrom(url);
        key ??= Environment.GetEnvironmentVariable("COORDINATOR_API_KEY") is { Length: > 0 } named ? named : StoredKeyFor(host, Load());
        return new CoordinatorClient(host, key);
    }

    /// <summary>The stored key, which goes to the host that it is of and to no other, whatever else is named.</summary>
    internal static string StoredKeyFor(Uri host, Credentials? stored)
    {
        if (stored is null) throw new CoordinatorException(401, "not_signed_in", "Not signed in. Run: coordinator login --link <the sl_… of the host's sign-in line>");
        if (Uri.Compare(host, stored.Address(), UriComponents.SchemeAndServer, UriFormat.SafeUnescaped, StringComparison.OrdinalIgnoreCase) == 0) return stored.ApiKey;
        var origin = host.GetLeftPart(UriPartial.Authority);
        throw new CoordinatorException(401, "not_signed_in", $"The stored key is of {stored.Url} and is not sent to {origin}. Give a key of {origin} with --key or COORDINATOR_API_KEY, or run: coordinator login --url {origin}");
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

    private Uri Address() => Address(FilePath, Url);

    private static Uri Address(string source, string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var url) && (url.Scheme == Uri.UriSchemeHttp || url.Scheme == Uri.UriSchemeHttps)
            ? url
            : throw new UsageException($"'{text}' ({source}) is not the address of a host: give it whole, with http:// or https://, such as {DefaultUrl}.");

    private static Credentials? Load()
    {
        if (!File.Exists(FilePath)) return null;
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllText(FilePath), CliJson.Default.Credentials) is { Url: not null, ApiKey: not null } stored ? stored : throw new JsonException("Something is missing.");
        }
        catch (JsonException e)
        {
            throw new UsageException($"{FilePath} cannot be read: remove it and sign in anew with coordinator login.", e);
        }
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(Credentials))]
internal sealed partial class CliJson : JsonSerializerContext;
