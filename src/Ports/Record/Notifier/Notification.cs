namespace Coordinator.Ports.Record;

/// <summary>What is told: UTF-8 JSON. Its id is the same for every attempt and every receiver.</summary>
public sealed record Notification(NotificationId Id, ReadOnlyMemory<byte> Body);

/// <summary>
/// Who is told. <see cref="Secrets"/> are the keys to sign with, the newest first: more than one while a secret is being
/// replaced, so that the receiver may still know either.
/// </summary>
public sealed record NotificationTarget(Uri Address, IReadOnlyList<WebhookSecret> Secrets);

/// <summary>What became of an attempt; what a caller does next depends on this alone.</summary>
public enum DeliveryOutcome
{
    /// <summary>The receiver took it.</summary>
    Delivered,

    /// <summary>It was not taken this time; <see cref="DeliveryResult.RetryAfter"/> is how long the receiver asked to be left alone.</summary>
    RetryLater,

    /// <summary>The receiver wants nothing more: the endpoint is to be disabled.</summary>
    EndpointGone,

    /// <summary>The address may not be dialed, or not in this way; nothing was sent, and trying again is pointless until it changes.</summary>
    AddressRefused,
}

/// <summary>
/// An attempt's outcome and, in <see cref="Detail"/>, what a person needs to know about it; holds neither the secret nor
/// anything the receiver wrote. <see cref="MayHaveArrived"/>: it was sent, and no answer says whether it was taken.
/// </summary>
public sealed record DeliveryResult(DeliveryOutcome Outcome, string Detail, int? Status = null, TimeSpan? RetryAfter = null, bool MayHaveArrived = false);

/// <summary>What can be delivered. Every implementation must refuse what is against it with <see cref="Check"/>.</summary>
public static class NotificationRules
{
    /// <summary>Bytes of a body.</summary>
    public const int LargestBody = 256 * 1024;

    /// <summary>Secrets of one target.</summary>
    public const int MostSecrets = 4;

    /// <exception cref="PortException"><see cref="PortFailureKind.Rejected"/>.</exception>
    public static void Check(Notification notification, NotificationTarget target)
    {
        if (notification.Body.Length is 0 or > LargestBody) throw Refused($"A notification's body has 1 to {LargestBody} bytes; this one has {notification.Body.Length}.");
        if (target.Secrets.Count is 0 or > MostSecrets) throw Refused($"A target has 1 to {MostSecrets} secrets; this one has {target.Secrets.Count}.");
    }

    /// <summary>
    /// Null when an address has a form that may be dialed; otherwise why not. Plain http only where
    /// <paramref name="exceptions"/> name the very host and port.
    /// </summary>
    public static string? WhyRefused(Uri address, AddressExceptions exceptions)
    {
        if (!address.IsAbsoluteUri || address.Scheme is not ("https" or "http") || address.Host.Length == 0) return "Use an absolute https URL.";
        if (address.UserInfo.Length > 0) return "The URL has a user name or password in it; what is sent is signed instead.";
        if (address.Fragment.Length > 0) return "The URL has a fragment, which is never sent.";
        if (address.Scheme == Uri.UriSchemeHttp && !exceptions.Lists(address.IdnHost, address.Port)) return "Use https: over http anybody on the way could read and change what is sent.";
        return null;
    }

    private static PortException Refused(string message) => new(PortFailureKind.Rejected, message);
}
