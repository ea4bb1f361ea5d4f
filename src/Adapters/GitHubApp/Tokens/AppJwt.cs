using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using Microsoft.Extensions.Options;

namespace Coordinator.Adapters.GitHubApp.Tokens;

/// <summary>
/// How the app identifies itself: a JSON web token of a few minutes, signed with its private key (RS256). Dated a minute
/// back, for a host whose clock is behind; a clock that is further off is corrected by what the host says.
/// </summary>
internal sealed class AppJwt(IOptions<GitHubAppOptions> options, TimeProvider time) : IDisposable
{
    private static readonly TimeSpan Back = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Ahead = TimeSpan.FromMinutes(9);
    private static readonly TimeSpan Noticed = TimeSpan.FromSeconds(30);
    private static readonly string Header = Base64Url.EncodeToString("""{"alg":"RS256","typ":"JWT"}"""u8);

    private readonly Lock gate = new();
    private RSA? key;
    private TimeSpan skew;

    /// <summary>The time by the host's clock, as far as it is known.</summary>
    public DateTimeOffset Now
    {
        get
        {
            lock (gate) return time.GetUtcNow() + skew;
        }
    }

    /// <summary>A token that is good now.</summary>
    public string Create()
    {
        lock (gate)
        {
            var now = time.GetUtcNow() + skew;
            var claims = string.Create(CultureInfo.InvariantCulture, $"{{\"iat\":{(now - Back).ToUnixTimeSeconds()},\"exp\":{(now + Ahead).ToUnixTimeSeconds()},\"iss\":\"{JavaScriptEncoder.Default.Encode(options.Value.AppId!)}\"}}");
            var signed = $"{Header}.{Base64Url.EncodeToString(Encoding.UTF8.GetBytes(claims))}";
            return $"{signed}.{Base64Url.EncodeToString(Key().SignData(Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1))}";
        }
    }

    /// <summary>Takes over the host's clock; true when it is noticeably another than the one that was gone by.</summary>
    public bool Correct(DateTimeOffset? hostTime)
    {
        if (hostTime is not { } told) return false;
        lock (gate)
        {
            var off = told - (time.GetUtcNow() + skew);
            if (off.Duration() < Noticed) return false;
            skew += off;
            return true;
        }
    }

    public void Dispose() => key?.Dispose();

    private RSA Key()
    {
        if (key is not null) return key;
        key = RSA.Create();
        key.ImportFromPem(options.Value.ReadPrivateKey());
        return key;
    }
}
