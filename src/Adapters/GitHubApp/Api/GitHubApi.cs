using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using Coordinator.Ports;
using Microsoft.Extensions.Options;

namespace Coordinator.Adapters.GitHubApp.Api;

/// <summary>
/// One call to the host's REST API. Its address is judged like a tenant's, no redirect is followed, everything has a bound.
/// Problems: <c>repository_host_refused</c>, <c>repository_unreachable</c>; a limit of rate is a <see cref="PortException"/>.
/// </summary>
internal sealed class GitHubApi : IDisposable
{
    /// <summary>The most that is read of any answer.</summary>
    public const int LargestAnswer = 64 * 1024 * 1024;

    private readonly GitHubAppOptions options;
    private readonly TimeProvider time;
    private readonly HttpClient client;

    public GitHubApi(IOptions<GitHubAppOptions> options, TimeProvider time)
    {
        this.options = options.Value;
        this.time = time;
        var guard = new GuardedConnection(AddressExceptions.Parse(this.options.AddressExceptions));
        client = new(new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            ConnectCallback = (context, cancellationToken) => guard.OpenAsync(context.DnsEndPoint, cancellationToken),
            ConnectTimeout = this.options.CallTimeout,
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
            UseCookies = false,
            UseProxy = false,
        }) { Timeout = Timeout.InfiniteTimeSpan };
    }

    /// <summary>Sends, and reads at most <paramref name="mostBytes"/> of the answer's body.</summary>
    public async Task<Result<ApiAnswer>> SendAsync(ApiCall call, CancellationToken cancellationToken, int mostBytes = LargestAnswer)
    {
        using var late = new CancellationTokenSource(options.CallTimeout, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, late.Token);
        using var request = Request(call);
        try
        {
            using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, both.Token);
            var answer = new ApiAnswer(response.StatusCode, await ReadAsync(response, mostBytes, both.Token), response.Headers.Date);
            if (RateLimit.Of(response, answer.Body, time.GetUtcNow()) is { } wait)
                throw new PortException(PortFailureKind.Limited, $"{options.Host} is asked too often; it wants to be left alone for {wait.TotalSeconds:0} s.", retryAfter: wait);
            return (int)answer.Status >= 500 ? Unreachable($"it answered {(int)answer.Status}") : answer;
        }
        catch (OperationCanceledException) when (late.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            return Unreachable($"it did not answer within {options.CallTimeout.TotalSeconds:0} s");
        }
        catch (HttpRequestException failure) when (failure.InnerException is AddressRefusedException refused)
        {
            return new Problem("repository_host_refused", $"{refused.Message} An operator can except it in {GitHubAppOptions.ExceptionsKey}.");
        }
        catch (Exception failure) when (failure is HttpRequestException or IOException or SocketException)
        {
            return Unreachable("the connection failed");
        }
    }

    public void Dispose() => client.Dispose();

    private HttpRequestMessage Request(ApiCall call)
    {
        var request = new HttpRequestMessage(call.Method, new Uri(options.ApiUrl, call.Path));
        request.Headers.Accept.Add(new(call.Accept));
        request.Headers.UserAgent.Add(new ProductInfoHeaderValue("Coordinator", null));
        request.Headers.Add("X-GitHub-Api-Version", "2022-11-28");
        if (call.Token is { } token) request.Headers.Authorization = new("Bearer", token);
        if (call.Json is { } json)
        {
            request.Content = new ByteArrayContent(json);
            request.Content.Headers.ContentType = new("application/json");
        }

        return request;
    }

    private static async Task<byte[]> ReadAsync(HttpResponseMessage response, int most, CancellationToken cancellationToken)
    {
        await using var body = await response.Content.ReadAsStreamAsync(cancellationToken);
        using var kept = new MemoryStream();
        var buffer = new byte[16 * 1024];
        while (kept.Length < most && await body.ReadAsync(buffer.AsMemory(0, (int)Math.Min(buffer.Length, most - kept.Length)), cancellationToken) is > 0 and var read) kept.Write(buffer, 0, read);
        return kept.ToArray();
    }

    private Problem Unreachable(string reason) =>
        new("repository_unreachable", $"{options.Host} cannot be reached: {reason}. Try again.", ProblemKind.Unavailable, TimeSpan.FromSeconds(5));
}

/// <summary>What is asked. <see cref="Token"/> is a secret and printed nowhere.</summary>
internal sealed record ApiCall(HttpMethod Method, string Path, string? Token = null, byte[]? Json = null)
{
    public string Accept { get; init; } = "application/vnd.github+json";

    public override string ToString() => $"{Method} {Path}";
}

/// <summary>What was answered, and when by the host's clock.</summary>
internal sealed record ApiAnswer(HttpStatusCode Status, byte[] Body, DateTimeOffset? Date)
{
    /// <summary>The body as what it should be.</summary>
    /// <exception cref="PortException"><see cref="PortFailureKind.Corrupt"/>: it is something else.</exception>
    public T Read<T>(System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type)
    {
        try
        {
            return System.Text.Json.JsonSerializer.Deserialize(Body, type) ?? throw Corrupt(null);
        }
        catch (System.Text.Json.JsonException failure)
        {
            throw Corrupt(failure);
        }
    }

    private static PortException Corrupt(Exception? inner) => new(PortFailureKind.Corrupt, "GitHub answered what cannot be understood.", inner: inner);
}
