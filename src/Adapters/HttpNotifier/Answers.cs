using System.Net;
using Coordinator.Ports;
using Coordinator.Ports.Record;

namespace Coordinator.Adapters.HttpNotifier;

/// <summary>What an answer, or that there is none, means.</summary>
internal static class Answers
{
    /// <summary>Longer than anybody may ask to be left alone: what is asked beyond it counts as this.</summary>
    private static readonly TimeSpan LongestWait = TimeSpan.FromDays(1);

    public static DeliveryResult Judge(HttpResponseMessage response, DateTimeOffset now)
    {
        var status = (int)response.StatusCode;
        return response.StatusCode switch
        {
            _ when response.IsSuccessStatusCode => new(DeliveryOutcome.Delivered, $"The endpoint answered {status}.", status),
            HttpStatusCode.Gone => new(DeliveryOutcome.EndpointGone, "The endpoint answered 410: it wants nothing more.", status),
            _ when status is >= 300 and < 400 => new(DeliveryOutcome.RetryLater, $"The endpoint answered {status}, a redirect, which is not followed. Register the address that it leads to.", status),
            _ => new(DeliveryOutcome.RetryLater, $"The endpoint answered {status}.", status, Wait(response, now)),
        };
    }

    public static DeliveryResult Judge(Exception failure) => failure switch
    {
        HttpRequestException { InnerException: AddressRefusedException refused } => new(DeliveryOutcome.AddressRefused, $"{refused.Message} An operator can except it in {HttpNotifierOptions.Section}:{nameof(HttpNotifierOptions.AddressExceptions)}."),
        HttpRequestException { HttpRequestError: HttpRequestError.NameResolutionError } => NotSent("The endpoint's name does not resolve."),
        HttpRequestException { InnerException: System.Net.Sockets.SocketException { SocketErrorCode: System.Net.Sockets.SocketError.HostNotFound } } => NotSent("The endpoint's name does not resolve."),
        HttpRequestException { HttpRequestError: HttpRequestError.SecureConnectionError } => NotSent("No secure connection to the endpoint could be made: check its certificate."),
        HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError } => NotSent("The endpoint cannot be reached."),
        OperationCanceledException => NotSent("No connection to the endpoint could be made in time."),
        _ => new(DeliveryOutcome.RetryLater, "The endpoint cut the connection before it had answered, or answered what is not HTTP.", MayHaveArrived: true),
    };

    private static DeliveryResult NotSent(string detail) => new(DeliveryOutcome.RetryLater, detail);

    private static TimeSpan? Wait(HttpResponseMessage response, DateTimeOffset now)
    {
        var asked = response.Headers.RetryAfter switch
        {
            { Delta: { } seconds } => seconds,
            { Date: { } date } => date - now,
            _ => (TimeSpan?)null,
        };
        return asked is { } wait ? TimeSpan.FromTicks(Math.Clamp(wait.Ticks, 0, LongestWait.Ticks)) : null;
    }
}
