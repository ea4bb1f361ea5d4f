using System.Collections.Concurrent;
using System.Globalization;

namespace Coordinator.Tests.Faults.Pushing;

/// <summary>The passwords that a git host takes: those it gave out and that have not expired.</summary>
internal sealed class PushTokens
{
    private readonly ConcurrentDictionary<string, bool> good = new(StringComparer.Ordinal);
    private int made;

    public string Mint()
    {
        var token = string.Create(CultureInfo.InvariantCulture, $"canary-token-{Interlocked.Increment(ref made)}");
        good[token] = true;
        return token;
    }

    /// <summary>All that were given out are good for nothing any more.</summary>
    public void Expire() => good.Clear();

    public bool Knows(string token) => good.ContainsKey(token);
}
