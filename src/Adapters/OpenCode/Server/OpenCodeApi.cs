using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Coordinator.Ports;

namespace Coordinator.Adapters.OpenCode.Server;

/// <summary>A call to OpenCode that was not answered as it should have been.</summary>
internal sealed class OpenCodeCallException(string message, HttpStatusCode? status = null, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>Null when there was no answer at all.</summary>
    public HttpStatusCode? Status { get; } = status;
}

/// <summary>
/// The V1 routes of one OpenCode server that the runtime uses. Every call has a timeout: a request that meets the
/// server at the wrong moment is never answered. All failures are <see cref="OpenCodeCallException"/>.
/// </summary>
internal sealed class OpenCodeApi : IDisposable
{
    private const int MaxAnswerBytes = 64 * 1024 * 1024;

    private readonly HttpClient http;
    private readonly TimeSpan callTimeout;
    private readonly TimeProvider time;

    public OpenCodeApi(Uri address, string password, TimeSpan callTimeout, TimeProvider time)
    {
        this.callTimeout = callTimeout;
        this.time = time;
        http = new HttpClient(new SocketsHttpHandler { UseProxy = false, UseCookies = false, AllowAutoRedirect = false, ConnectCallback = DialedConnection.ToHostAsync })
        {
            BaseAddress = address,
            Timeout = Timeout.InfiniteTimeSpan,
            MaxResponseContentBufferSize = MaxAnswerBytes,
        };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"opencode:{password}")));
    }

    /// <summary>The server's version, or null when it did not answer well within <paramref name="timeout"/>.</summary>
    public async Task<string?> TryHealthAsync(TimeSpan timeout, CancellationToken cancellationToken)
    {
        try
        {
            var health = await CallAsync(HttpMethod.Get, "global/health", null, timeout, cancellationToken);
            return health.Flag("healthy") ? health.Text("version") ?? "unknown" : null;
        }
        catch (OpenCodeCallException)
        {
            return null;
        }
    }

    /// <summary>Makes the server open its workspace, with everything it loads for it.</summary>
    public Task OpenWorkspaceAsync(CancellationToken cancellationToken) => CallAsync(HttpMethod.Get, "api/agent", null, callTimeout, cancellationToken);

    /// <summary>Creates a session: its id and the real path of its directory. Naming it spares a call to the model for a title.</summary>
    public async Task<OpenCodeSession> CreateSessionAsync(CancellationToken cancellationToken) =>
        Session(await CallAsync(HttpMethod.Post, "session", new JsonObject { ["title"] = "Coordinator" }, callTimeout, cancellationToken));

    /// <summary>Null when the store does not have it.</summary>
    public async Task<OpenCodeSession?> FindSessionAsync(string session, CancellationToken cancellationToken)
    {
        try
        {
            return Session(await CallAsync(HttpMethod.Get, $"session/{Uri.EscapeDataString(session)}", null, callTimeout, cancellationToken));
        }
        catch (OpenCodeCallException e) when (e.Status is HttpStatusCode.NotFound or HttpStatusCode.BadRequest)
        {
            return null;
        }
    }

    public Task PromptAsync(string session, JsonObject prompt, CancellationToken cancellationToken) =>
        CallAsync(HttpMethod.Post, $"session/{session}/prompt_async", prompt, callTimeout, cancellationToken);

    public Task AbortAsync(string session, CancellationToken cancellationToken) =>
        CallAsync(HttpMethod.Post, $"session/{session}/abort", null, callTimeout, cancellationToken);

    /// <summary>Only sessions at work are listed.</summary>
    public async Task<bool> IsBusyAsync(string session, CancellationToken cancellationToken) =>
        (await CallAsync(HttpMethod.Get, "session/status", null, callTimeout, cancellationToken)).Member(session) is { } status && status.Text("type") != "idle";

    /// <summary>The stored messages after <paramref name="messageId"/>, in order; ids ascend with time.</summary>
    public async Task<IReadOnlyList<JsonElement>> MessagesAfterAsync(string session, string messageId, CancellationToken cancellationToken)
    {
        for (var limit = 64; ; limit *= 4)
        {
            var answer = await CallAsync(HttpMethod.Get, string.Create(CultureInfo.InvariantCulture, $"session/{session}/message?limit={limit}"), null, callTimeout, cancellationToken);
            var all = answer.Items().ToList();
            var after = all.FindAll(message => string.CompareOrdinal(message.Member("info")?.Text("id"), messageId) > 0);
            if (after.Count < all.Count || all.Count < limit) return after;
        }
    }

    /// <summary>Open questions of every session of the server, stale ones included.</summary>
    public async Task<IReadOnlyList<JsonElement>> PermissionsAsync(CancellationToken cancellationToken) =>
        (await CallAsync(HttpMethod.Get, "permission", null, callTimeout, cancellationToken)).Items().ToList();

    /// <summary>
    /// Answers this one time; <c>always</c> would hold for every session of the server. A rejection with a note lets
    /// the model go on with it, one without ends the turn. A question that is no longer open needs no answer.
    /// </summary>
    public async Task ReplyPermissionAsync(string permission, bool allow, string? note, CancellationToken cancellationToken)
    {
        var reply = new JsonObject { ["reply"] = allow ? "once" : "reject" };
        if (!allow && !string.IsNullOrWhiteSpace(note)) reply["message"] = note;
        await AnswerAsync($"permission/{Uri.EscapeDataString(permission)}/reply", reply, cancellationToken);
    }

    /// <summary>Declines a question of the agent's <c>question</c> tool, which nobody here can answer.</summary>
    public Task RejectQuestionAsync(string question, CancellationToken cancellationToken) =>
        AnswerAsync($"question/{Uri.EscapeDataString(question)}/reject", null, cancellationToken);

    /// <summary>Opens the event stream. It ends when the server closes it.</summary>
    public async Task<OpenCodeEvents> OpenEventsAsync(CancellationToken cancellationToken)
    {
        using var late = new CancellationTokenSource(callTimeout, time);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancellationToken);
        using var request = new HttpRequestMessage(HttpMethod.Get, "event");
        try
        {
            var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, stop.Token);
            if (response.IsSuccessStatusCode) return new OpenCodeEvents(response, await response.Content.ReadAsStreamAsync(stop.Token), time);
            response.Dispose();
            throw new OpenCodeCallException("OpenCode refused the event stream.", response.StatusCode);
        }
        catch (Exception e) when (IsFailure(e, cancellationToken))
        {
            throw new OpenCodeCallException($"OpenCode's event stream could not be opened: {e.Message}", inner: e);
        }
    }

    public void Dispose() => http.Dispose();

    private static OpenCodeSession Session(JsonElement session) =>
        new(session.Text("id") ?? throw new OpenCodeCallException("OpenCode answered a session without an id."), session.Text("directory") ?? "");

    /// <summary>No answer, an answer cut off, or one that took too long; not the caller's own cancellation.</summary>
    private static bool IsFailure(Exception e, CancellationToken callers) =>
        e is HttpRequestException or IOException or JsonException || (e is OperationCanceledException && !callers.IsCancellationRequested);

    private async Task AnswerAsync(string path, JsonObject? body, CancellationToken cancellationToken)
    {
        try
        {
            await CallAsync(HttpMethod.Post, path, body, callTimeout, cancellationToken);
        }
        catch (OpenCodeCallException e) when (e.Status is HttpStatusCode.NotFound)
        {
            // Answered before, or its turn has ended: there is nothing left to answer.
        }
    }

    private async Task<JsonElement> CallAsync(HttpMethod method, string path, JsonObject? body, TimeSpan timeout, CancellationToken cancellationToken)
    {
        using var late = new CancellationTokenSource(timeout, time);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancellationToken);
        using var request = new HttpRequestMessage(method, path);
        if (body is not null) request.Content = new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json");
        try
        {
            using var response = await http.SendAsync(request, stop.Token);
            var answer = await response.Content.ReadAsByteArrayAsync(stop.Token);
            if (!response.IsSuccessStatusCode) throw new OpenCodeCallException($"OpenCode answered {(int)response.StatusCode} to {method} {path}.", response.StatusCode);
            return answer.Length == 0 ? default : JsonElement.Parse(answer);
        }
        catch (Exception e) when (IsFailure(e, cancellationToken))
        {
            throw new OpenCodeCallException($"{method} {path} was not answered: {e.Message}", inner: e);
        }
    }
}

/// <summary>A session as the server knows it; <see cref="Directory"/> is its workspace, symbolic links resolved.</summary>
internal sealed record OpenCodeSession(string Id, string Directory);
