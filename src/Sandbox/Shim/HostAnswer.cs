using System.Net;
using Coordinator.Ports.Models.Relaying;

namespace Coordinator.Sandbox.Shim;

/// <summary>
/// The answer of a model call, in whichever form its host gave it: relayed, so that the host's silence can be told from the provider's,
/// or plain, as a host of an older release, a host that refuses the call or a load balancer gives it.
/// </summary>
internal sealed class HostAnswer : IDisposable
{
    private readonly HttpResponseMessage response;
    private readonly HostSilence silence;
    private readonly Func<CancellationToken, ValueTask<ReadOnlyMemory<byte>>> read;

    private HostAnswer(HttpResponseMessage response, HostSilence silence, RelayedHead head, bool isRelayed, Func<CancellationToken, ValueTask<ReadOnlyMemory<byte>>> read) =>
        (this.response, this.silence, Head, IsRelayed, this.read) = (response, silence, head, isRelayed, read);

    /// <summary>What the agent is told first.</summary>
    public RelayedHead Head { get; }

    public bool IsRelayed { get; }

    /// <summary>It is nobody's answer to the call: no host took it, and one may later. Inside the relayed form the same statuses are the provider's.</summary>
    public bool IsComeAgain => !IsRelayed && response.StatusCode is HttpStatusCode.BadGateway or HttpStatusCode.ServiceUnavailable or HttpStatusCode.GatewayTimeout;

    /// <summary>Owns the response and the watch from here on, unless it throws. Returns once the head is there, however long the provider takes.</summary>
    /// <exception cref="IOException">The host fell silent, or broke the call off.</exception>
    public static async ValueTask<HostAnswer> OpenAsync(HttpResponseMessage response, HostSilence silence, CancellationToken cancellationToken)
    {
        var body = await response.Content.ReadAsStreamAsync(cancellationToken);
        if (response.Content.Headers.ContentType?.MediaType != RelayedAnswer.ContentType) return Plain(response, silence, body);
        var reader = new RelayedAnswerReader((into, _) => silence.ReadAsync(body, into, RelayedAnswer.LongestSilence));
        return new(response, silence, await reader.ReadHeadAsync(cancellationToken), isRelayed: true, reader.ReadAsync);
    }

    /// <summary>The next piece of the body, good until the next is asked for; empty at its end.</summary>
    /// <exception cref="IOException">The host fell silent, or broke the call off.</exception>
    public ValueTask<ReadOnlyMemory<byte>> ReadAsync(CancellationToken cancellationToken) => read(cancellationToken);

    public void Dispose()
    {
        response.Dispose();
        silence.Dispose();
    }

    private static HostAnswer Plain(HttpResponseMessage response, HostSilence silence, Stream body)
    {
        var block = new byte[16 * 1024];
        var headers = response.Headers.Concat(response.Content.Headers).ToDictionary(header => header.Key, header => header.Value.ToArray(), StringComparer.OrdinalIgnoreCase);
        return new(response, silence, new((int)response.StatusCode, headers), isRelayed: false, async cancellationToken => block.AsMemory(0, await body.ReadAsync(block, cancellationToken)));
    }
}
