using System.Text;
using Coordinator.Ports;

namespace Coordinator.Adapters.DirectModels.Upstream;

/// <summary>
/// The body of an upstream's refusal, made safe: at most 64 KiB of it, and without the tenant's key, which some
/// providers repeat in their error texts.
/// </summary>
internal static class Refusal
{
    private const int Longest = 64 * 1024;

    public static async ValueTask<byte[]> ReadAsync(Stream body, string? key, CancellationToken cancellationToken)
    {
        var buffer = new byte[Longest];
        var length = 0;
        try
        {
            int read;
            while (length < buffer.Length && (read = await body.ReadAsync(buffer.AsMemory(length), cancellationToken)) > 0) length += read;
        }
        catch (PortException) when (length > 0)
        {
            // The status says it all; half of the explanation is better than none.
        }

        return key is null ? buffer[..length] : Without(buffer.AsSpan(0, length), key);
    }

    private static byte[] Without(ReadOnlySpan<byte> body, string key)
    {
        if (body.IndexOf(Encoding.ASCII.GetBytes(key)) < 0) return body.ToArray();
        return Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(body).Replace(key, "[key]", StringComparison.Ordinal));
    }
}
