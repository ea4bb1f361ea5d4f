using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using Coordinator.Ports;
using Coordinator.Ports.Compute.DataPlane;
using Flurl.Http;
using Microsoft.Extensions.Options;
using Polly;
using Polly.Retry;

namespace Coordinator.Adapters.Modal.DataPlane;

/// <summary>
/// Sends the contract's requests: each signed anew, each bounded. All of them may be repeated (looks change nothing, a
/// destroy is idempotent, a create carries its key), so each is, twice, when no answer came or the data plane is down.
/// </summary>
internal sealed class SignedCaller
{
    private const int LargestAnswer = 32 * 1024 * 1024;

    private readonly DataPlaneConnections connections;
    private readonly TimeProvider time;
    private readonly string keyId;
    private readonly byte[] secret;
    private readonly ResiliencePipeline pipeline;

    public SignedCaller(DataPlaneConnections connections, IOptions<ModalSandboxOptions> options, TimeProvider time)
    {
        (this.connections, this.time) = (connections, time);
        (keyId, secret) = (options.Value.KeyId, Encoding.UTF8.GetBytes(options.Value.Secret));
        pipeline = new ResiliencePipelineBuilder { TimeProvider = time }
            .AddRetry(new RetryStrategyOptions
            {
                MaxRetryAttempts = 2,
                Delay = TimeSpan.FromMilliseconds(200),
                BackoffType = DelayBackoffType.Exponential,
                UseJitter = true,
                ShouldHandle = static attempt => new(attempt.Outcome.Exception is DataPlaneException { Failed: { Failure: { Kind: PortFailureKind.Unavailable or PortFailureKind.Timeout }, Code: not DataPlaneProblem.WrongNode } }),
            })
            .Build();
    }

    /// <summary>Sends a call to one node until it is answered. The limit is over all tries.</summary>
    /// <exception cref="DataPlaneException">It failed, and whether something may have happened: in any of the tries.</exception>
    public async Task<DataPlaneResponse> SendAsync(Uri node, DataPlaneCall call, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(call.Limit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        var inDoubt = false;
        try
        {
            return await pipeline.ExecuteAsync(
                async token =>
                {
                    try
                    {
                        return await SendOnceAsync(node, call, token);
                    }
                    catch (DataPlaneException e)
                    {
                        inDoubt |= e.Failed.Failure.EffectMayHaveHappened;
                        throw;
                    }
                },
                either.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new DataPlaneException(DataPlaneFailure.Silent(node, call));
        }
        catch (DataPlaneException e) when (inDoubt && e.Failed.Failure is { EffectMayHaveHappened: false, Kind: PortFailureKind.Unavailable or PortFailureKind.Timeout })
        {
            throw new DataPlaneException(e.Failed with { Failure = new(e.Failed.Failure.Kind, e.Failed.Failure.Message, effectMayHaveHappened: true, e.Failed.Failure.RetryAfter, e.Failed.Failure) });
        }
    }

    private async Task<DataPlaneResponse> SendOnceAsync(Uri node, DataPlaneCall call, CancellationToken cancellationToken)
    {
        // What is signed is what is sent: the address's own text, not one that a builder puts together again.
        var target = new Uri(node.AbsoluteUri.TrimEnd('/') + call.PathAndQuery);
        var signature = RequestSignature.Create(keyId, secret, new(call.Method.Method, target.PathAndQuery, call.Body), time.GetUtcNow(), Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16)));
        using var content = call.Body.Length == 0 ? null : new ByteArrayContent(call.Body);
        if (content is not null) content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        try
        {
            using var response = await connections.Client.Request(target.AbsoluteUri)
                .WithHeader("Authorization", signature.ToString())
                .AllowAnyHttpStatus()
                .SendAsync(call.Method, content, cancellationToken, HttpCompletionOption.ResponseHeadersRead);
            var body = await ReadAsync(response, node, call, cancellationToken);
            if (!response.IsSuccessStatusCode) throw new DataPlaneException(DataPlaneFailure.Of(node, call, response.StatusCode, response.Headers, body, time.GetUtcNow()));
            return new((int)response.StatusCode, body);
        }
        catch (FlurlHttpException e)
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw new DataPlaneException(DataPlaneFailure.Unreached(node, call, e.InnerException as HttpRequestException ?? new HttpRequestException(e.InnerException?.Message ?? e.Message, e)));
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            throw new DataPlaneException(DataPlaneFailure.Unreached(node, call, e as HttpRequestException ?? new HttpRequestException(e.Message, e)));
        }
    }

    private static async Task<byte[]> ReadAsync(HttpResponseMessage response, Uri node, DataPlaneCall call, CancellationToken cancellationToken)
    {
        await using var stream = await response.Content.ReadAsStreamAsync(cancellationToken);
        using var body = new MemoryStream();
        var block = new byte[16 * 1024];
        while (await stream.ReadAsync(block, cancellationToken) is var read and > 0)
        {
            if (body.Length + read > LargestAnswer) throw new DataPlaneException(DataPlaneFailure.Corrupt(node, call));
            body.Write(block, 0, read);
        }

        return body.ToArray();
    }
}
