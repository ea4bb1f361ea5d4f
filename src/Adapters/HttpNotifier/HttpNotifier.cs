using System.Net;
using System.Net.Http.Headers;
using Coordinator.Ports;
using Coordinator.Ports.Record;
using Microsoft.Extensions.Options;

namespace Coordinator.Adapters.HttpNotifier;

/// <summary>
/// Notifications as signed webhooks. The status decides; of the body a little is read, so that the connection can be used
/// again, and forgotten: a receiver must not be able to make anybody here read what it likes.
/// </summary>
internal sealed class HttpNotifier : INotifier, IDisposable
{
    private const int MaxHeaderKilobytes = 16;

    private readonly HttpNotifierOptions options;
    private readonly AddressExceptions exceptions;
    private readonly TimeProvider time;
    private readonly HttpClient client;
    private readonly SemaphoreSlim places;

    public HttpNotifier(IOptions<HttpNotifierOptions> options, TimeProvider time, HostResolver? resolve = null)
    {
        this.options = options.Value;
        this.time = time;
        exceptions = AddressExceptions.Parse(this.options.AddressExceptions);
        places = new(this.options.AtOnce, this.options.AtOnce);
        var guard = new GuardedConnection(exceptions, resolve);
        client = new(new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.None,
            ConnectTimeout = this.options.ConnectTimeout,
            ConnectCallback = (context, cancellationToken) => guard.OpenAsync(context.DnsEndPoint, cancellationToken),
            MaxResponseHeadersLength = MaxHeaderKilobytes,
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(30),
            PooledConnectionLifetime = TimeSpan.FromMinutes(2),
            UseCookies = false,
            UseProxy = false,
        }) { Timeout = Timeout.InfiniteTimeSpan };
    }

    public async ValueTask<DeliveryResult> DeliverAsync(Notification notification, NotificationTarget target, CancellationToken cancellationToken)
    {
        NotificationRules.Check(notification, target);
        if (NotificationRules.WhyRefused(target.Address, exceptions) is { } reason) return new(DeliveryOutcome.AddressRefused, reason);
        await places.WaitAsync(cancellationToken);
        try
        {
            return await AttemptAsync(notification, target, cancellationToken);
        }
        finally
        {
            places.Release();
        }
    }

    public void Dispose()
    {
        client.Dispose();
        places.Dispose();
    }

    private async Task<DeliveryResult> AttemptAsync(Notification notification, NotificationTarget target, CancellationToken cancellationToken)
    {
        using var late = new CancellationTokenSource(options.HeadersTimeout, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, late.Token);
        using var request = Request(notification, target);
        try
        {
            using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, both.Token);
            await DrainAsync(response, cancellationToken);
            return Answers.Judge(response, time.GetUtcNow());
        }
        catch (OperationCanceledException) when (late.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            return new(DeliveryOutcome.RetryLater, $"The endpoint did not answer within {options.HeadersTimeout.TotalSeconds:0} s.", MayHaveArrived: true);
        }
        catch (Exception failure) when (failure is HttpRequestException || (failure is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return Answers.Judge(failure);
        }
    }

    private HttpRequestMessage Request(Notification notification, NotificationTarget target)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, target.Address) { Content = new ReadOnlyMemoryContent(notification.Body) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        request.Headers.UserAgent.Add(new ProductInfoHeaderValue("Coordinator", null));
        foreach (var (name, value) in WebhookSignature.Headers(notification, target.Secrets, time.GetUtcNow())) request.Headers.TryAddWithoutValidation(name, value);
        return request;
    }

    /// <summary>Reads a body that is short and comes quickly. Any other ends with its connection; the status stands either way.</summary>
    private async Task DrainAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        using var late = new CancellationTokenSource(options.BodyTimeout, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, late.Token);
        var (buffer, left) = (new byte[4 * 1024], options.MaxAnswerBytes);
        try
        {
            var body = await response.Content.ReadAsStreamAsync(both.Token);
            while (left > 0 && await body.ReadAsync(buffer.AsMemory(0, Math.Min(buffer.Length, left)), both.Token) is > 0 and var read) left -= read;
        }
        catch (Exception ended) when (!cancellationToken.IsCancellationRequested && ended is OperationCanceledException or IOException or HttpRequestException)
        {
            // The receiver has said what counts; that it says the rest slowly, or not at all, is its own affair.
        }
    }
}
