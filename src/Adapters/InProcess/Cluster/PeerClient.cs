using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Coordinator.Ports;
using Coordinator.Ports.Compute.DataPlane;
using Coordinator.Ports.Session;

namespace Coordinator.Adapters.InProcess.Cluster;

/// <summary>Asks other hosts. A redirect is not followed: a signature is for one host.</summary>
internal sealed class PeerClient(PeerSigner signer, PeerVigil vigil, TimeSpan timeout, TimeProvider time, Func<SocketsHttpConnectionContext, CancellationToken, ValueTask<Stream>>? dial = null) : IDisposable
{
    public const string CallsPath = "/cluster/v1/calls";
    public const string WaitsPath = "/cluster/v1/waits";

    private readonly HttpMessageInvoker http = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, UseProxy = false, ConnectCallback = dial ?? DialedConnection.ToHostAsync, ConnectTimeout = TimeSpan.FromSeconds(2), PooledConnectionIdleTimeout = TimeSpan.FromSeconds(60) });

    /// <exception cref="PeerUnreachableException">Nothing was sent: the host cannot be reached.</exception>
    /// <exception cref="PeerRefusedException">It does not believe this host; nothing was done.</exception>
    /// <exception cref="PortException">Something was sent, and no answer that can be believed came.</exception>
    public async Task<PeerAnswer> AskAsync<T>(HostLocation peer, string path, T message, CancellationToken cancellationToken)
    {
        var body = PeerJson.Write(message);
        var signature = signer.Sign(peer.Id, new("POST", path, body));
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(peer.Address, path)) { Content = new ByteArrayContent(body) };
        request.Headers.TryAddWithoutValidation("Authorization", signature.ToString());
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        using var limit = new CancellationTokenSource(timeout, time);
        using var watched = vigil.Keep(peer.Id);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, watched.Dead, cancellationToken);
        try
        {
            using var response = await http.SendAsync(request, either.Token);
            var answer = await response.Content.ReadAsByteArrayAsync(either.Token);
            if (response.StatusCode == HttpStatusCode.Unauthorized) return PeerRefusals.Read(peer, response.Headers, time.GetUtcNow()) is { } refused ? throw refused : new(Moved: true); // it lives under another id by now
            var mac = response.Headers.TryGetValues(PeerSigner.AnswerHeader, out var values) ? values.First() : null;
            if (!signer.IsAnswerOf(peer.Id, signature.Nonce, answer, mac)) throw Lost(peer, "its answer is not its own", null);
            return PeerJson.Read<PeerAnswer>(answer);
        }
        catch (HttpRequestException failure) when (failure.HttpRequestError is HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError)
        {
            throw new PeerUnreachableException(peer, failure);
        }
        catch (OperationCanceledException failure) when (failure.InnerException is TimeoutException)
        {
            throw new PeerUnreachableException(peer, failure); // how the handler says that connecting took too long, with nobody's token
        }
        catch (Exception failure) when (failure is HttpRequestException or IOException or JsonException)
        {
            throw Lost(peer, failure.Message, failure);
        }
        catch (OperationCanceledException failure) when (watched.Dead.IsCancellationRequested)
        {
            throw Lost(peer, "the host has died meanwhile", failure);
        }
        catch (OperationCanceledException failure) when (limit.IsCancellationRequested)
        {
            throw new PortException(PortFailureKind.Timeout, $"Host {peer.Id} did not answer in time.", effectMayHaveHappened: true, inner: failure);
        }
    }

    public void Dispose() => http.Dispose();

    private static PortException Lost(HostLocation peer, string why, Exception? inner) =>
        new(PortFailureKind.Unavailable, $"The answer of host {peer.Id} was lost: {why}.", effectMayHaveHappened: true, inner: inner);
}

/// <summary>A host could not be reached, and nothing was asked of it.</summary>
internal sealed class PeerUnreachableException(HostLocation peer, Exception inner) : Exception($"Host {peer.Id} cannot be reached at {peer.Address}.", inner);
