using Coordinator.Modules.Kernel.Http;
using Coordinator.Ports;
using Coordinator.Ports.Session;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Coordinator.Modules.Sandboxes.Egress;

/// <summary>
/// <c>GET /v1/bridge/egress?host=&amp;port=</c> with <c>Upgrade: tcp</c>: a box's way to an allowed host. After 101 the
/// connection carries the raw bytes. Problems: those of the box's credential, <c>egress_refused</c> (403),
/// <c>egress_busy</c> (429), <c>egress_unreachable</c> (502), <c>upgrade_required</c> (400).
/// </summary>
internal sealed class OpenEgressTunnel(
    ISessionHost sessions,
    EgressDialer dialer,
    EgressTunnels tunnels,
    IOptions<EgressOptions> options,
    IHostApplicationLifetime host,
    TimeProvider time) : IEndpointModule
{
    /// <summary>A box that its session gave up loses its open connections after at most this long.</summary>
    private static readonly TimeSpan Recheck = TimeSpan.FromSeconds(30);

    public void Map(IEndpointRouteBuilder routes) => routes.MapGet("/v1/bridge/egress", HandleAsync).ForBoxes().WithName("OpenEgressTunnel").ExcludeFromDescription();

    private async Task HandleAsync(HttpContext context)
    {
        var opened = await OpenAsync(context);
        if (opened is not null) await opened.ToHttp().ExecuteAsync(context);
    }

    /// <summary>Null when a tunnel was opened and has ended.</summary>
    private async ValueTask<Problem?> OpenAsync(HttpContext context)
    {
        var box = await context.AuthorizeBoxAsync(sessions, context.RequestAborted);
        if (!box.IsSuccess) return box.Problem;
        if (UpgradeOf(context) is not { } upgrade) return new("upgrade_required", "Ask with Connection: Upgrade and Upgrade: tcp.", ProblemKind.Malformed);
        using var place = tunnels.TryEnter(box.Value.Credential.Sandbox);
        if (place is null) return new("egress_busy", $"{options.Value.MaxTunnelsPerBox} connections are open; close some.", ProblemKind.TooMany, TimeSpan.FromSeconds(1));
        var (wantedHost, wantedPort) = (context.Request.Query["host"].ToString(), context.Request.Query["port"].ToString());
        var dialed = await dialer.DialAsync(box.Value.Key.Organization, wantedHost, wantedPort, context.RequestAborted);
        if (!dialed.IsSuccess) return dialed.Problem;
        using var outside = dialed.Value;
        context.Response.Headers.Upgrade = "tcp";
        await using var stream = await upgrade.UpgradeAsync();
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, host.ApplicationStopping);
        var pump = new TunnelPump(tunnels, TimeSpan.FromSeconds(options.Value.IdleSeconds), time).RunAsync(stream, outside, ending.Token);
        await WatchAsync(box.Value, pump, ending);
        return null;
    }

    /// <summary>Ends the tunnel when the box's session does not want it any more.</summary>
    private async Task WatchAsync(AuthorizedBox box, Task pump, CancellationTokenSource ending)
    {
        while (await Task.WhenAny(pump, Task.Delay(Recheck, time, ending.Token)) != pump && !ending.IsCancellationRequested)
        {
            if (!await IsStillWantedAsync(box, ending.Token)) await ending.CancelAsync();
        }

        await ending.CancelAsync();
        await pump;
    }

    private async ValueTask<bool> IsStillWantedAsync(AuthorizedBox box, CancellationToken cancellationToken)
    {
        try
        {
            return (await sessions.AuthorizeBoxAsync(box.Key, box.Credential, cancellationToken)).IsSuccess;
        }
        catch (PortException)
        {
            // The session cannot be asked for the moment. That is no reason to cut a box off; it is asked again.
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    private static IHttpUpgradeFeature? UpgradeOf(HttpContext context) =>
        context.Features.Get<IHttpUpgradeFeature>() is { IsUpgradableRequest: true } upgrade
        && context.Request.Headers.Upgrade.ToString().Equals("tcp", StringComparison.OrdinalIgnoreCase) ? upgrade : null;
}
