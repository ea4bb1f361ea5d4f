using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Coordinator.Ports;
using Coordinator.Ports.Compute.DataPlane;
using Microsoft.Extensions.Options;

namespace Coordinator.SandboxHost.Boxes;

/// <summary>What a create asked for, as far as it must be known later.</summary>
/// <param name="Fingerprint">Which box under which token: another under the same key is a conflict.</param>
/// <param name="DestroyedAt">Set when the box and its data were destroyed: a create that arrives late makes no other.</param>
internal sealed record KnownCreate(string Key, string Fingerprint, SandboxId Sandbox, SessionId Session, string ControlPlane, DateTimeOffset CreatedAt, DateTimeOffset ExpiresAt, DateTimeOffset? DestroyedAt);

/// <summary>
/// Every create by its idempotency key, written down before the box can be there: so that a create whose answer was lost
/// meets its box after a restart too, and so that it is known to which control plane a box belongs.
/// </summary>
internal sealed class CreateLedger(IOptions<SandboxHostOptions> options)
{
    private readonly string directory = Path.Combine(options.Value.DataDirectory, "creates");
    private readonly ConcurrentDictionary<string, KnownCreate> byKey = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<SandboxId, string> keys = new();

    public IEnumerable<KnownCreate> All => byKey.Values;

    /// <summary>Reads what an earlier process wrote down.</summary>
    public async Task LoadAsync(CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(directory);
        foreach (var file in Directory.EnumerateFiles(directory, "*.json"))
        {
            try
            {
                if (JsonSerializer.Deserialize(await File.ReadAllBytesAsync(file, cancellationToken), LedgerJson.Default.KnownCreate) is { } known) Remember(known);
            }
            catch (JsonException e)
            {
                throw new PortException(PortFailureKind.Corrupt, $"{file} cannot be read; if its box is not wanted any more, delete it.", inner: e);
            }
        }
    }

    public KnownCreate? Find(string key) => byKey.GetValueOrDefault(key);

    public KnownCreate? Find(SandboxId sandbox) => keys.TryGetValue(sandbox, out var key) ? Find(key) : null;

    /// <summary>Writes an entry down, whole or not at all; it stands when this returns.</summary>
    public async Task WriteAsync(KnownCreate known, CancellationToken cancellationToken)
    {
        var file = FileOf(known.Key);
        var part = $"{file}.{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(4))}.part";
        await using (var stream = new FileStream(part, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite }))
        {
            await stream.WriteAsync(JsonSerializer.SerializeToUtf8Bytes(known, LedgerJson.Default.KnownCreate), cancellationToken);
            stream.Flush(flushToDisk: true);
        }

        File.Move(part, file, overwrite: true);
        Remember(known);
    }

    public void Forget(KnownCreate known)
    {
        File.Delete(FileOf(known.Key));
        byKey.TryRemove(known.Key, out _);
        keys.TryRemove(known.Sandbox, out _);
    }

    /// <summary>What makes two creates the same: which box, for whom, and the token it proves itself with.</summary>
    public static string FingerprintOf(CreateSandboxBody body)
    {
        var labels = string.Join('\n', body.Labels.OrderBy(label => label.Key, StringComparer.Ordinal).Select(label => $"{label.Key}={label.Value}"));
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{body.Name}\n{body.Agent}\n{body.Bridge.Generation}\n{body.Bridge.Organization}\n{body.Bridge.Session}\n{body.Bridge.Token}\n{labels}")));
    }

    private void Remember(KnownCreate known)
    {
        byKey[known.Key] = known;
        keys[known.Sandbox] = known.Key;
    }

    private string FileOf(string key) => Path.Combine(directory, $"{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key)))[..32]}.json");
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(KnownCreate))]
internal sealed partial class LedgerJson : JsonSerializerContext;
