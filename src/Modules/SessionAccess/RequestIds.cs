using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Coordinator.Ports;
using Coordinator.Ports.Session;

namespace Coordinator.Modules.SessionAccess;

/// <summary>What a request with an idempotency key is recognised by.</summary>
internal static class RequestIds
{
    /// <summary>How long a key stands for what it was first used for; after that it is free.</summary>
    public static readonly TimeSpan KeyKept = TimeSpan.FromHours(24);

    /// <summary>
    /// The id of a session that is made with a key on a day. It derives from (organization, principal, key, day), so that
    /// a retry meets what the first try made even when nobody remembers the first try, and a day later it does not.
    /// </summary>
    public static SessionId Session(TenantContext tenant, string key, DateTimeOffset at) =>
        SessionId.From(PrefixedId.Derive("session", tenant.Organization.ToString(), tenant.Principal.Scope, key, at.UtcDateTime.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)));

    /// <summary>What the session remembers of a keyed message: the same over HTTP and over a WebSocket.</summary>
    public static RequestIdentity? Identity(TenantContext tenant, string? key, string text, string? model, MessageId? retryOf) =>
        Of(tenant, key, text, model, retryOf?.ToString());

    /// <summary>What the session remembers of a keyed cancel; never what it remembers of a message, which has more parts.</summary>
    public static RequestIdentity? OfCancel(TenantContext tenant, string? key, MessageId? message) => Of(tenant, key, "cancel", message?.ToString());

    /// <summary>What the session remembers of a keyed answer to a question.</summary>
    public static RequestIdentity? OfAnswer(TenantContext tenant, string? key, PermissionId permission, PermissionDecision decision, string? note) =>
        Of(tenant, key, "permission", permission.ToString(), decision.ToString(), note);

    private static RequestIdentity? Of(TenantContext tenant, string? key, params ReadOnlySpan<string?> parts)
    {
        if (key is null) return null;
        var bytes = new ArrayBufferWriter<byte>();
        foreach (var part in parts) Append(bytes, part);
        return new(tenant.Principal.Scope, key, Convert.ToHexStringLower(SHA256.HashData(bytes.WrittenSpan)));
    }

    private static void Append(ArrayBufferWriter<byte> bytes, string? part)
    {
        BinaryPrimitives.WriteInt32BigEndian(bytes.GetSpan(sizeof(int)), part?.Length ?? -1);
        bytes.Advance(sizeof(int));
        Encoding.UTF8.GetBytes(part, bytes);
    }
}
