using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.WebSockets;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Coordinator.Client;

/// <summary>
/// The public API, typed. Every acting call carries an idempotency key and is tried again while the host is down or
/// restarting, so it takes effect once. Problems are thrown as <see cref="CoordinatorException"/>.
/// </summary>
public sealed class CoordinatorClient : IDisposable
{
    private static readonly TimeSpan ToldAfter = TimeSpan.FromSeconds(2);

    /// <summary>How long a stream's opening may take before it is tried anew: a host that hangs takes connections and answers none.</summary>
    private static readonly TimeSpan OpeningTimeout = TimeSpan.FromSeconds(10);

    private readonly HttpClient http;
    private readonly HttpClient streams;
    private readonly TimeProvider time;

    /// <summary>Talks to the host at <paramref name="url"/> with an API key (<c>ck_…</c>); without one only sign-in and health work.</summary>
    public CoordinatorClient(Uri url, string? apiKey = null, TimeProvider? time = null)
    {
        this.time = time ?? TimeProvider.System;
        (Url, ApiKey) = (url, apiKey);
        http = To(url, HostConnections.Pooled());
        streams = To(url, HostConnections.Single());
    }

    /// <summary>Where the host is.</summary>
    public Uri Url { get; }

    internal string? ApiKey { get; }

    /// <summary>The longest one call may take.</summary>
    public TimeSpan CallTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How long a call is tried again while the host cannot be reached.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>
    /// How long a call waits for an earlier try of its own that is still being answered: longer than any is, and than a host holds
    /// the key of a try that died with its process (15 s; 5 min of releases before 0.2).
    /// </summary>
    public TimeSpan EarlierTryPatience { get; init; } = TimeSpan.FromMinutes(6);

    /// <summary>Raised once for a call that has waited for an earlier try of its own for two seconds, and goes on to wait.</summary>
    public event Action? WaitingForEarlierTry;

    /// <summary>Spends a one-time sign-in link (<c>sl_…</c>) and makes an API key for this machine.</summary>
    public async Task<NewApiKey> SignInAsync(string link, string keyName, CancellationToken cancellationToken)
    {
        using var signIn = Request(HttpMethod.Post, "/v1/sign-in", new SignIn(link), ClientJson.Default.SignIn);
        using var answer = await SendOnceAsync(signIn, HttpCompletionOption.ResponseContentRead, cancellationToken);
        var cookie = answer.Headers.GetValues("Set-Cookie").First().Split(';')[0];
        using var create = Request(HttpMethod.Post, "/v1/api-keys", new ApiKeyRequest(keyName), ClientJson.Default.ApiKeyRequest);
        create.Headers.Add("Cookie", cookie);
        create.Headers.Add("Origin", Url.GetLeftPart(UriPartial.Authority));
        using var made = await SendOnceAsync(create, HttpCompletionOption.ResponseContentRead, cancellationToken);
        return await ReadAsync(made, ClientJson.Default.NewApiKey, cancellationToken);
    }

    /// <summary>Who the key acts as, and for which organization.</summary>
    public Task<Me> MeAsync(CancellationToken cancellationToken) => GetAsync("/v1/me", ClientJson.Default.Me, cancellationToken);

    /// <summary>The models that a session of this organization can be made with.</summary>
    public Task<Page<Model>> ListModelsAsync(CancellationToken cancellationToken) => GetAsync("/v1/models", ClientJson.Default.PageModel, cancellationToken);

    /// <summary>A page of the organization's sessions, the latest first; <paramref name="cursor"/> is the page before's <c>NextCursor</c>.</summary>
    public Task<Page<Session>> ListSessionsAsync(string? cursor, int limit, CancellationToken cancellationToken) =>
        GetAsync($"/v1/sessions?limit={limit}{(cursor is null ? string.Empty : $"&cursor={Uri.EscapeDataString(cursor)}")}", ClientJson.Default.PageSession, cancellationToken);

    /// <summary>One session as it now is.</summary>
    public Task<Session> GetSessionAsync(string id, CancellationToken cancellationToken) => GetAsync($"/v1/sessions/{id}", ClientJson.Default.Session, cancellationToken);

    /// <summary>Makes a session. The same <paramref name="idempotencyKey"/> makes it once, however often it is asked for.</summary>
    public Task<Session> CreateSessionAsync(NewSession session, CancellationToken cancellationToken, string? idempotencyKey = null) =>
        PostAsync("/v1/sessions", session, ClientJson.Default.NewSession, ClientJson.Default.Session, idempotencyKey, cancellationToken);

    /// <summary>Queues a prompt and returns when it is taken, not when it is answered: follow the session for that.</summary>
    public Task<AcceptedMessage> PromptAsync(string session, string text, CancellationToken cancellationToken, string? model = null, string? retryOf = null, string? idempotencyKey = null) =>
        PostAsync($"/v1/sessions/{session}/messages", new PromptRequest(text, model, retryOf), ClientJson.Default.PromptRequest, ClientJson.Default.AcceptedMessage, idempotencyKey, cancellationToken);

    /// <summary>Stops the running message, or the one named.</summary>
    public async Task CancelAsync(string session, string? messageId, CancellationToken cancellationToken)
    {
        using var answer = await SendAsync(
            () => messageId is null
                ? Request(HttpMethod.Post, $"/v1/sessions/{session}/cancel", new CancelRequest(null), ClientJson.Default.CancelRequest)
                : new HttpRequestMessage(HttpMethod.Post, $"/v1/sessions/{session}/messages/{messageId}/cancel"),
            null,
            cancellationToken);
    }

    /// <summary>
    /// Answers an open question of the agent: <c>once</c>, <c>session</c> or <c>reject</c>. It is answered once, so that only a call with an idempotency
    /// key can tell its own second try from somebody else's answer.
    /// </summary>
    public async Task AnswerPermissionAsync(string session, string permissionId, string decision, CancellationToken cancellationToken, string? note = null)
    {
        using var answer = await SendAsync(() => Request(HttpMethod.Post, $"/v1/sessions/{session}/permissions/{permissionId}", new PermissionAnswer(decision, note), ClientJson.Default.PermissionAnswer), null, cancellationToken);
    }

    /// <summary>Ends what runs or waits, and the session's box with its data. For ever; asked again it changes nothing.</summary>
    public async Task<Session> ArchiveAsync(string session, CancellationToken cancellationToken)
    {
        using var answer = await SendAsync(() => new HttpRequestMessage(HttpMethod.Post, $"/v1/sessions/{session}/archive"), null, cancellationToken);
        return await ReadAsync(answer, ClientJson.Default.Session, cancellationToken);
    }

    /// <summary>A page of a session's events after a cursor; from the first when it is null.</summary>
    public Task<EventPage> ListEventsAsync(string session, string? after, int limit, CancellationToken cancellationToken) =>
        GetAsync($"/v1/sessions/{session}/events?limit={limit}{(after is null ? string.Empty : $"&after={Uri.EscapeDataString(after)}")}", ClientJson.Default.EventPage, cancellationToken);

    /// <summary>Looks at a repository and says what it needs to be installed, built and run.</summary>
    public Task<DetectedEnvironment> DetectEnvironmentAsync(Repository repository, CancellationToken cancellationToken) =>
        PostAsync("/v1/environments:detect", new DetectRequest(repository), ClientJson.Default.DetectRequest, ClientJson.Default.DetectedEnvironment, null, cancellationToken);

    /// <summary>The latest 200 finished runs, of one session or of all.</summary>
    public Task<Page<Run>> ListRunsAsync(string? session, CancellationToken cancellationToken) =>
        GetAsync($"/v1/runs?limit=200{(session is null ? string.Empty : $"&session={session}")}", ClientJson.Default.PageRun, cancellationToken);

    /// <summary>The host answers at all.</summary>
    public async Task<bool> IsUpAsync(CancellationToken cancellationToken)
    {
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/health/ready");
            using var answer = await SendOnceAsync(request, HttpCompletionOption.ResponseContentRead, cancellationToken);
            return true;
        }
        catch (CoordinatorException)
        {
            return false;
        }
    }

    /// <summary>The readiness report of the host, as text; its status may be 503.</summary>
    public async Task<(int Status, string Body)> ReadinessAsync(CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(TimeSpan.FromSeconds(5));
        using var answer = await http.GetAsync("/health/ready", limit.Token);
        return ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync(limit.Token));
    }

    /// <summary>Ends its connections; calls under way fail.</summary>
    public void Dispose()
    {
        http.Dispose();
        streams.Dispose();
    }

    /// <summary>Opens a response whose body streams.</summary>
    internal Task<HttpResponseMessage> OpenAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
        SendOnceAsync(streams, request, HttpCompletionOption.ResponseHeadersRead, OpeningTimeout, cancellationToken);

    /// <summary>Opens a WebSocket. Where the host refuses it, its reason is asked over HTTP, since a handshake does not tell.</summary>
    internal async Task<ClientWebSocket> ConnectAsync(string path, string subprotocol, TimeProvider clock, CancellationToken cancellationToken)
    {
        var socket = new ClientWebSocket();
        socket.Options.AddSubProtocol(subprotocol);
        socket.Options.CollectHttpResponseDetails = true;
        using var slow = new CancellationTokenSource(OpeningTimeout, clock);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(slow.Token, cancellationToken);
        try
        {
            await socket.ConnectAsync(new UriBuilder(new Uri(Url, path)) { Scheme = Url.Scheme == Uri.UriSchemeHttps ? "wss" : "ws" }.Uri, streams, limit.Token);
            return socket;
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested && e is WebSocketException or OperationCanceledException)
        {
            var status = (int)socket.HttpStatusCode;
            socket.Dispose();
            if (status is >= 400 and < 500) await GetAsync(path[..path.LastIndexOf('/')], ClientJson.Default.Session, cancellationToken);
            throw new CoordinatorException(status, status is 0 ? "unreachable" : $"http_{status}", $"{Url} did not open a WebSocket: {e.Message}", inner: e);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>A key that no other request has.</summary>
    internal string NewIdempotencyKey() => Guid.CreateVersion7(time.GetUtcNow()).ToString("N");

    private HttpClient To(Uri url, SocketsHttpHandler connections)
    {
        var client = new HttpClient(connections) { BaseAddress = url, Timeout = Timeout.InfiniteTimeSpan };
        if (ApiKey is not null) client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", ApiKey);
        return client;
    }

    private async Task<T> GetAsync<T>(string path, JsonTypeInfo<T> type, CancellationToken cancellationToken)
    {
        using var answer = await SendAsync(() => new HttpRequestMessage(HttpMethod.Get, path), null, cancellationToken);
        return await ReadAsync(answer, type, cancellationToken);
    }

    private async Task<TAnswer> PostAsync<TBody, TAnswer>(string path, TBody body, JsonTypeInfo<TBody> bodyType, JsonTypeInfo<TAnswer> answerType, string? idempotencyKey, CancellationToken cancellationToken)
    {
        using var answer = await SendAsync(() => Request(HttpMethod.Post, path, body, bodyType), idempotencyKey, cancellationToken);
        return await ReadAsync(answer, answerType, cancellationToken);
    }

    private static HttpRequestMessage Request<T>(HttpMethod method, string path, T body, JsonTypeInfo<T> type) =>
        new(method, path) { Content = JsonContent.Create(body, type) };

    /// <summary>Sends with one idempotency key until it is answered or patience ends.</summary>
    private async Task<HttpResponseMessage> SendAsync(Func<HttpRequestMessage> make, string? idempotencyKey, CancellationToken cancellationToken)
    {
        var key = idempotencyKey ?? NewIdempotencyKey();
        var began = time.GetTimestamp();
        var told = false;
        for (var attempt = 1; ; attempt++)
        {
            using var request = make();
            if (request.Method != HttpMethod.Get) request.Headers.Add("Idempotency-Key", key);
            try
            {
                return await SendOnceAsync(request, HttpCompletionOption.ResponseContentRead, cancellationToken);
            }
            catch (CoordinatorException e) when (e.IsTransient && e.Status != 429 && time.GetElapsedTime(began) < (e.IsInProgress ? EarlierTryPatience : Patience))
            {
                if (e.IsInProgress && !told && time.GetElapsedTime(began) >= ToldAfter)
                {
                    told = true;
                    WaitingForEarlierTry?.Invoke();
                }

                await Task.Delay(e.RetryAfter ?? TimeSpan.FromMilliseconds(Math.Min(2_000, 50 << Math.Min(attempt, 5))), time, cancellationToken);
            }
        }
    }

    private Task<HttpResponseMessage> SendOnceAsync(HttpRequestMessage request, HttpCompletionOption completion, CancellationToken cancellationToken) =>
        SendOnceAsync(http, request, completion, CallTimeout, cancellationToken);

    private async Task<HttpResponseMessage> SendOnceAsync(HttpClient connections, HttpRequestMessage request, HttpCompletionOption completion, TimeSpan timeout, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(timeout);
        HttpResponseMessage answer;
        try
        {
            answer = await connections.SendAsync(request, completion, limit.Token);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new CoordinatorException(0, "no_answer", $"{Url} did not answer in {timeout.TotalSeconds:0} s.", inner: e);
        }
        catch (HttpRequestException e)
        {
            throw new CoordinatorException(0, "unreachable", $"{Url} cannot be reached: {e.Message}", inner: e);
        }

        if (answer.IsSuccessStatusCode) return answer;
        using (answer) throw await ProblemAsync(answer, limit.Token);
    }

    private static async Task<CoordinatorException> ProblemAsync(HttpResponseMessage answer, CancellationToken cancellationToken)
    {
        var status = (int)answer.StatusCode;
        try
        {
            var body = await answer.Content.ReadFromJsonAsync(ClientJson.Default.ProblemBody, cancellationToken);
            return new(status, body?.Code ?? $"http_{status}", body?.Detail ?? body?.Title ?? $"The host answered {status}.", answer.Headers.RetryAfter?.Delta);
        }
        catch (JsonException e)
        {
            return new(status, $"http_{status}", $"The host answered {status} without a readable reason.", answer.Headers.RetryAfter?.Delta, e);
        }
    }

    private static async Task<T> ReadAsync<T>(HttpResponseMessage answer, JsonTypeInfo<T> type, CancellationToken cancellationToken)
    {
        try
        {
            return await answer.Content.ReadFromJsonAsync(type, cancellationToken) ?? throw new JsonException("null");
        }
        catch (JsonException e)
        {
            throw new CoordinatorException((int)answer.StatusCode, "answer_unreadable", "The host's answer could not be read; are client and host of the same release?", inner: e);
        }
    }
}
