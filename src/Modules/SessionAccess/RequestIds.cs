using System.Security.Cryptography;
using System.Text;
using Coordinator.Ports;
using Coordinator.Ports.Session;

namespace Coordinator.Modules.SessionAccess;

/// <summary>
/// Ids of what a request makes. With an idempotency key they derive from (organization, principal, key), so that a retry
/// meets what the first try made, even when nobody remembers the first try; without one they are new.
/// </summary>
internal static class RequestIds
{
    public static SessionId Session(TenantContext tenant, string? key, TimeProvider time) => key is null
        ? SessionId.New(time)
        : SessionId.From(PrefixedId.Derive("session", tenant.Organization.ToString(), tenant.Principal.Scope, key));

    public static MessageId Message(SessionKey session, TenantContext tenant, string? key, TimeProvider time) => key is null
        ? MessageId.New(time)
        : MessageId.From(PrefixedId.Derive("message", session.ToString(), tenant.Principal.Scope, key));

    /// <summary>What the session remembers of a keyed message: the same over HTTP and over a WebSocket.</summary>
    public static RequestIdentity? Identity(TenantContext tenant, string? key, string text, string? model, MessageId? retryOf)
    {
        if (key is null) return null;
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Append(hash, text);
        Append(hash, model);
        Append(hash, retryOf?.ToString());
        return new(tenant.Principal.Scope, key, Convert.ToHexStringLower(hash.GetHashAndReset()));
    }

    private static void Append(IncrementalHash hash, string? part)
    {
        Span<byte> length = stackalloc byte[sizeof(int)];
        System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(length, part?.Length ?? -1);
        hash.AppendData(length);
        hash.AppendData(Encoding.UTF8.GetBytes(part ?? string.Empty));
    }
}
