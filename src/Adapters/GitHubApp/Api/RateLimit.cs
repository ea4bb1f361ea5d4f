using System.Globalization;
using System.Net;

namespace Coordinator.Adapters.GitHubApp.Api;

/// <summary>Whether an answer refuses for a limit of rate, primary or secondary, and how long to wait.</summary>
internal static class RateLimit
{
    private static readonly TimeSpan Usual = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Longest = TimeSpan.FromHours(1);

    public static TimeSpan? Of(HttpResponseMessage response, byte[] body, DateTimeOffset now)
    {
        if (response.StatusCode is not (HttpStatusCode.Forbidden or HttpStatusCode.TooManyRequests)) return null;
        var isUsedUp = Header(response, "x-ratelimit-remaining") == "0";
        var asked = response.Headers.RetryAfter switch
        {
            { Delta: { } seconds } => seconds,
            { Date: { } date } => date - now,
            _ when isUsedUp && long.TryParse(Header(response, "x-ratelimit-reset"), NumberStyles.None, CultureInfo.InvariantCulture, out var reset) => TimeSpan.FromSeconds(reset - now.ToUnixTimeSeconds()),
            _ when isUsedUp || response.StatusCode == HttpStatusCode.TooManyRequests || body.AsSpan().IndexOf("secondary rate limit"u8) >= 0 => Usual,
            _ => (TimeSpan?)null,
        };
        return asked is { } wait ? TimeSpan.FromTicks(Math.Clamp(wait.Ticks, TimeSpan.TicksPerSecond, Longest.Ticks)) : null;
    }

    private static string? Header(HttpResponseMessage response, string name) => response.Headers.TryGetValues(name, out var values) ? values.FirstOrDefault() : null;
}
