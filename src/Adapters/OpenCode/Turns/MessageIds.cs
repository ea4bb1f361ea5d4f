using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Coordinator.Adapters.OpenCode.Turns;

/// <summary>
/// Makes ids for prompts in OpenCode's own form: 48 bits of (milliseconds × 4096 + a counter) in hex, then 14 random
/// characters. OpenCode orders a conversation by them, so that another form would put the prompt in the wrong place.
/// </summary>
internal static class MessageIds
{
    private const string Alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    public static string Next(TimeProvider time)
    {
        Span<byte> stamp = stackalloc byte[8];
        BinaryPrimitives.WriteInt64BigEndian(stamp, (time.GetUtcNow().ToUnixTimeMilliseconds() * 4096) + 1);
        return $"msg_{Convert.ToHexStringLower(stamp[2..])}{RandomNumberGenerator.GetString(Alphabet, 14)}";
    }
}
