using System.Buffers.Binary;
using System.Numerics;

namespace Coordinator.Sandbox.Storage;

/// <summary>CRC-32C of a record, to tell a whole one from a torn one.</summary>
internal static class Checksum
{
    public static uint Of(long n, ReadOnlySpan<byte> body)
    {
        var crc = BitOperations.Crc32C(uint.MaxValue, (ulong)n);
        while (body.Length >= sizeof(ulong))
        {
            crc = BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(body));
            body = body[sizeof(ulong)..];
        }

        foreach (var value in body) crc = BitOperations.Crc32C(crc, value);
        return ~crc;
    }
}
