using System.Net.Http.Json;
using Coordinator.Sandbox.Events;

namespace Coordinator.Sandbox.HostLink;

/// <summary>
/// The short-lived token model calls go out with, renewed before it expires. However many calls need it at once, one
/// asks for it.
/// </summary>
internal sealed class GatewayToken(HostConnection host, Redactor redactor, TimeProvider time) : IDisposable
{
    /// <summary>A call that starts now must not find its token expired when it arrives.</summary>
    private static readonly TimeSpan Margin = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(8);

    private readonly SemaphoreSlim single = new(1, 1);
    private GatewayTokenAnswer? current;

    /// <summary>The host that minted the token answers model calls at once, in the relayed form.</summary>
    public bool HostRelaysAnswers => Volatile.Read(ref current)?.RelaysAnswers == true;

    /// <summary>A token that is good for a while; a new one when <paramref name="refused"/> is the one that is held.</summary>
    /// <exception cref="HttpRequestException">The control plane did not answer, or answered with a status that is no success.</exception>
    public async ValueTask<string> GetAsync(string? refused, CancellationToken cancellationToken)
    {
        await single.WaitAsync(cancellationToken);
        try
        {
            if (current is { } held && held.Token != refused && held.ExpiresAt - time.GetUtcNow() > Margin) return held.Token;
            var minted = await AskAsync(cancellationToken);
            redactor.Add(minted.Token);
            Volatile.Write(ref current, minted);
            return minted.Token;
        }
        finally
        {
            single.Release();
        }
    }

    public void Dispose() => single.Dispose();

    private async Task<GatewayTokenAnswer> AskAsync(CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(Timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        try
        {
            using var request = host.NewRequest(HttpMethod.Post, "v1/bridge/gateway-token");
            request.Content = new ByteArrayContent([]);
            using var response = await host.SendAsync(request, either.Token);
            response.EnsureSuccessStatusCode();
            return await response.Content.ReadFromJsonAsync(HostJson.Default.GatewayTokenAnswer, either.Token)
                ?? throw new HttpRequestException("The control plane answered with no gateway token.");
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new HttpRequestException("The control plane did not answer for a gateway token in time.");
        }
    }
}
