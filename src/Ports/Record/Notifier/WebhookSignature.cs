using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Coordinator.Ports.Record;

/// <summary>
/// How a notification is signed, by the Standard Webhooks specification: <c>v1,</c> and the base64 HMAC-SHA256 over
/// <c>id.timestamp.body</c>, so that neither body, id nor time can be another's. Several signatures, one for each secret, stand
/// with a space between them. Pure.
/// </summary>
public static class WebhookSignature
{
    /// <summary>The header with the notification's id.</summary>
    public const string IdHeader = "webhook-id";

    /// <summary>The header with the time of the attempt, in seconds since 1970.</summary>
    public const string TimestampHeader = "webhook-timestamp";

    /// <summary>The header with the signatures.</summary>
    public const string SignatureHeader = "webhook-signature";

    private const string Version = "v1,";

    /// <summary>How far a receiver's clock may be from the sender's.</summary>
    public static TimeSpan Tolerance { get; } = TimeSpan.FromMinutes(5);

    /// <summary>The three headers of an attempt that is made at <paramref name="now"/>.</summary>
    public static IReadOnlyList<KeyValuePair<string, string>> Headers(Notification notification, IEnumerable<WebhookSecret> secrets, DateTimeOffset now)
    {
        var (id, timestamp) = (notification.Id.ToString(), now.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture));
        var signatures = secrets.Select(secret => Version + Convert.ToBase64String(Mac(secret, id, timestamp, notification.Body.Span)));
        return [new(IdHeader, id), new(TimestampHeader, timestamp), new(SignatureHeader, string.Join(' ', signatures))];
    }

    /// <summary>
    /// What a receiver does: true when one of the signatures is of <paramref name="secret"/> over this very id, time and body,
    /// and the time is within <see cref="Tolerance"/> of <paramref name="now"/>. Compares in constant time.
    /// </summary>
    public static bool Verify(string id, string timestamp, string signatures, ReadOnlySpan<byte> body, WebhookSecret secret, DateTimeOffset now)
    {
        if (!long.TryParse(timestamp, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)) return false;
        if (Math.Abs((double)now.ToUnixTimeSeconds() - seconds) > Tolerance.TotalSeconds) return false;
        var (expected, matches) = (Mac(secret, id, timestamp, body), false);
        var given = new byte[expected.Length];
        foreach (var signature in signatures.Split(' ').Where(one => one.StartsWith(Version, StringComparison.Ordinal)))
            matches |= Convert.TryFromBase64String(signature[Version.Length..], given, out var length) && length == expected.Length && CryptographicOperations.FixedTimeEquals(given, expected);

        return matches;
    }

    private static byte[] Mac(WebhookSecret secret, string id, string timestamp, ReadOnlySpan<byte> body)
    {
        using var mac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, secret.Key);
        mac.AppendData(Encoding.UTF8.GetBytes($"{id}.{timestamp}."));
        mac.AppendData(body);
        return mac.GetHashAndReset();
    }
}
