using System.Net;
using Coordinator.SandboxHost.Boxes;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;

namespace Coordinator.SandboxHost.Relay;

/// <summary>
/// Carries a box's requests to the control plane that made it: bridge, model calls, artifacts and egress, bytes as they come
/// in both directions. When the control plane does not answer, the box's connection breaks, as it does on the control
/// plane's own machine, and the box tries again.
/// </summary>
internal sealed partial class BoxRelay(CreateLedger ledger, ControlPlaneConnections connections, ILogger<BoxRelay> logger)
{
    private const int Block = 32 * 1024;

    /// <summary>What is between two hops, and what only a proxy that is trusted may say of who asks.</summary>
    private static readonly HashSet<string> NotCarried = new(StringComparer.OrdinalIgnoreCase)
    {
        "Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization", "Proxy-Connection", "TE", "Trailer", "Transfer-Encoding", "Upgrade", "Host",
        "Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Prefix",
    };

    private readonly RelayPlaces places = new();

    public async Task ForwardAsync(HttpContext context)
    {
        if (!RelayRoutes.IsForBoxes(context.Request.Path))
        {
            await context.WriteProblemAsync(StatusCodes.Status404NotFound, "route_not_found", "There is nothing here for boxes.");
            return;
        }

        if (RelayRoutes.Find(ledger, context.Request.Headers.Authorization) is not { } box)
        {
            await context.WriteProblemAsync(StatusCodes.Status401Unauthorized, "box_unknown", "No box of this machine has this token.");
            return;
        }

        using var place = places.TryTake(box.Sandbox);
        if (place is null)
        {
            context.Response.Headers.RetryAfter = "1";
            await context.WriteProblemAsync(StatusCodes.Status429TooManyRequests, "box_busy", $"A box may have {RelayPlaces.PerBox} requests under way.");
            return;
        }

        try
        {
            BeUnhurried(context);
            await ForwardAsync(context, new Uri(new Uri(box.ControlPlane), context.Request.Path.ToUriComponent() + context.Request.QueryString.ToUriComponent()));
        }
        catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException)
        {
            if (!context.RequestAborted.IsCancellationRequested) LogBroken(box.Sandbox.ToString(), box.ControlPlane, e.Message);
            context.Abort();
        }
    }

    private async Task ForwardAsync(HttpContext context, Uri target)
    {
        var upgrade = context.Features.Get<IHttpUpgradeFeature>() is { IsUpgradableRequest: true } feature ? feature : null;
        using var request = RequestTo(context, target, upgrade is not null);
        using var response = await connections.Invoker.SendAsync(request, context.RequestAborted);
        context.Response.StatusCode = (int)response.StatusCode;
        foreach (var (name, values) in response.Headers.Concat(response.Content.Headers).Where(header => !NotCarried.Contains(header.Key))) context.Response.Headers[name] = values.ToArray();
        if (response.StatusCode == HttpStatusCode.SwitchingProtocols && upgrade is not null)
        {
            foreach (var protocol in response.Headers.Upgrade) context.Response.Headers.Upgrade = protocol.ToString();
            await using var inside = await upgrade.UpgradeAsync();
            await using var outside = await response.Content.ReadAsStreamAsync(context.RequestAborted);
            await PumpAsync(inside, outside, context.RequestAborted);
            return;
        }

        await using var body = await response.Content.ReadAsStreamAsync(context.RequestAborted);
        await CopyAsync(body, context.Response.Body, context.RequestAborted);
    }

    /// <summary>A box uploads and follows at its own pace; strangers, on TCP, may not.</summary>
    private static void BeUnhurried(HttpContext context)
    {
        if (context.Features.Get<IHttpMinRequestBodyDataRateFeature>() is { } request) request.MinDataRate = null;
        if (context.Features.Get<IHttpMinResponseDataRateFeature>() is { } response) response.MinDataRate = null;
    }

    private static HttpRequestMessage RequestTo(HttpContext context, Uri target, bool upgrades)
    {
        var request = new HttpRequestMessage(new HttpMethod(context.Request.Method), target) { Version = HttpVersion.Version11, VersionPolicy = HttpVersionPolicy.RequestVersionExact };
        var hasBody = context.Features.Get<IHttpRequestBodyDetectionFeature>()?.CanHaveBody == true && !upgrades;
        if (hasBody) request.Content = new StreamContent(context.Request.Body, Block);
        foreach (var (name, values) in context.Request.Headers.Where(header => !NotCarried.Contains(header.Key)))
        {
            if (!request.Headers.TryAddWithoutValidation(name, (IEnumerable<string?>)values)) request.Content?.Headers.TryAddWithoutValidation(name, (IEnumerable<string?>)values);
        }

        if (!upgrades) return request;
        request.Headers.TryAddWithoutValidation("Connection", "Upgrade");
        request.Headers.TryAddWithoutValidation("Upgrade", (IEnumerable<string?>)context.Request.Headers.Upgrade);
        return request;
    }

    /// <summary>Until either side is done: neither can close half of an upgraded connection, so one end is the end of both.</summary>
    private static async Task PumpAsync(Stream inside, Stream outside, CancellationToken cancellationToken)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var outward = CopyQuietlyAsync(inside, outside, ending.Token);
        var inward = CopyQuietlyAsync(outside, inside, ending.Token);
        await Task.WhenAny(outward, inward);
        await ending.CancelAsync();
        await Task.WhenAll(outward, inward);
    }

    private static async Task CopyQuietlyAsync(Stream from, Stream to, CancellationToken cancellationToken)
    {
        try
        {
            await CopyAsync(from, to, cancellationToken);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or ObjectDisposedException)
        {
            // One side hung up; the other is told by the end of its connection.
            return;
        }
    }

    /// <summary>Every piece goes on as soon as it is here: an answer that streams must not wait for a full buffer.</summary>
    private static async Task CopyAsync(Stream from, Stream to, CancellationToken cancellationToken)
    {
        var block = new byte[Block];
        while (await from.ReadAsync(block, cancellationToken) is var read and > 0)
        {
            await to.WriteAsync(block.AsMemory(0, read), cancellationToken);
            await to.FlushAsync(cancellationToken);
        }
    }

    [LoggerMessage(5431, LogLevel.Warning, "A request of {Box} to {ControlPlane} broke off: {Reason}")]
    private partial void LogBroken(string box, string controlPlane, string reason);
}
