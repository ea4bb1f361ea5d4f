using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using Coordinator.Sandbox.HostLink;

namespace Coordinator.Sandbox.Shim;

/// <summary>What became of asking for a way out.</summary>
internal abstract record EgressResult
{
    private EgressResult()
    {
    }

    /// <summary>The bytes of one TCP connection, both ways. Disposing <paramref name="Response"/> closes it.</summary>
    public sealed record Open(HttpResponseMessage Response, Stream Stream) : EgressResult;

    public sealed record Refused(int Status, string Detail) : EgressResult;
}

/// <summary>Opens connections to the outside through the control plane, which decides where a box may go.</summary>
internal sealed class EgressTunnel(HostConnection host, TimeProvider time)
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(30);

    public async Task<EgressResult> OpenAsync(ProxyTarget target, CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(Timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        using var request = host.NewRequest(HttpMethod.Get, string.Create(CultureInfo.InvariantCulture, $"v1/bridge/egress?host={Uri.EscapeDataString(target.Host)}&port={target.Port}"));
        request.Headers.TryAddWithoutValidation("Connection", "Upgrade");
        request.Headers.TryAddWithoutValidation("Upgrade", "tcp");
        try
        {
            var response = await host.SendAsync(request, either.Token);
            if (response.StatusCode == HttpStatusCode.SwitchingProtocols) return new EgressResult.Open(response, await response.Content.ReadAsStreamAsync(cancellationToken));
            using (response) return await RefusedAsync(response, target, either.Token);
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException)
        {
            return new EgressResult.Refused((int)HttpStatusCode.BadGateway, "The control plane does not answer; try again.");
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new EgressResult.Refused((int)HttpStatusCode.GatewayTimeout, $"{target.Host}:{target.Port} was not reached in time.");
        }
    }

    private static async Task<EgressResult> RefusedAsync(HttpResponseMessage response, ProxyTarget target, CancellationToken cancellationToken)
    {
        var status = response.StatusCode == HttpStatusCode.Forbidden ? 403 : 502;
        var isProblem = response.Content.Headers.ContentType?.MediaType == "application/problem+json";
        var problem = isProblem ? await response.Content.ReadFromJsonAsync(HostJson.Default.ProblemAnswer, cancellationToken) : null;
        return new EgressResult.Refused(status, problem?.Detail ?? $"{target.Host}:{target.Port} cannot be reached from this box ({(int)response.StatusCode}).");
    }
}
