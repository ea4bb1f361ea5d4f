using Coordinator.Modules.Kernel.Http;
using Coordinator.Modules.Models.Gateway.Relaying;
using Coordinator.Modules.Models.Metering;
using Coordinator.Modules.Models.Tokens;
using Coordinator.Ports;
using Coordinator.Ports.Models;
using Coordinator.Ports.Session;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;

namespace Coordinator.Modules.Models.Gateway;

/// <summary>
/// <c>POST /model/v1/{provider}/{path}</c>: a box's model call. The gateway token says for which box, its session says
/// whether the box is still wanted, the gateway adds the organization's key, and the answer streams through metered.
/// </summary>
internal sealed partial class CallModel(GatewayTokens tokens, IBoxTokenScheme boxTokens, ISessionHost sessions, IModelGateway gateway, ModelCalls calls, UsageLedger ledger, TimeProvider time, ILogger<CallModel> logger) : IEndpointModule
{
    /// <summary>The largest call: a long conversation with images fits.</summary>
    public const int LargestBody = 20 * 1024 * 1024;

    private static readonly Dictionary<string, CallWire> Paths = new(StringComparer.Ordinal)
    {
        ["chat/completions"] = CallWire.OpenAiChat,
        ["responses"] = CallWire.OpenAiResponses,
        ["messages"] = CallWire.AnthropicMessages,
    };

    private static readonly string[] PassedHeaders = ["Accept", "anthropic-version", "anthropic-beta", "OpenAI-Beta"];

    public void Map(IEndpointRouteBuilder routes) => routes.MapPost("/model/v1/{provider}/{**path}", HandleAsync).ForBoxes().WithName("CallModel");

    private Task HandleAsync(HttpContext context, string provider, string? path) => RelayedResponse.ServeAsync(context, time, () => HearAsync(context, provider, path));

    private async Task HearAsync(HttpContext context, string provider, string? path)
    {
        if (!Paths.TryGetValue(path ?? string.Empty, out var wire))
        {
            await WireRefusal.WriteAsync(context, CallWire.OpenAiChat, new("model_path_unknown", $"The gateway takes {string.Join(", ", Paths.Keys)}; not '{path}'.", ProblemKind.NotFound));
            return;
        }

        try
        {
            await ServeAsync(context, new(provider, path!, wire));
        }
        catch (ComeAgainException again)
        {
            // Broken off and not refused: the box goes on asking until a host takes the call, while an agent gives a model up that refuses it a few times.
            LogSentAway(logger, provider, again.Away);
            context.Abort();
        }
        catch (PortException failure)
        {
            await TellAsync(context, provider, wire, failure);
        }
        catch (Exception failure) when (RelayedResponse.IsAsked(context) && !context.Response.HasStarted && !context.RequestAborted.IsCancellationRequested)
        {
            // Broken off without a word it would be tried for a minute, and each time cost what it costs.
            LogUnforeseen(logger, provider, failure);
            await WireRefusal.WriteAsync(context, wire, new("internal_error", "Something went wrong here.", ProblemKind.Unavailable), StatusCodes.Status500InternalServerError);
        }
    }

    private async Task ServeAsync(HttpContext context, CallAddress address)
    {
        var box = await AuthorizeAsync(context, address.Provider);
        var entered = box.IsSuccess ? calls.Enter(box.Value.Key.Organization, box.Value.Credential.Sandbox) : box.Problem;
        if (!entered.IsSuccess)
        {
            await WireRefusal.WriteAsync(context, address.Wire, entered.Problem);
            return;
        }

        using var place = entered.Value;
        if (await PrepareAsync(context, box.Value, place, address) is not { } call) return;
        await using var held = Hold(context, box.Value.Key);
        var usage = ledger.Open(call.Box, call.Request.Model, held.GivenUp);
        try
        {
            await AnswerAsync(context, call, held, usage);
        }
        catch (OperationCanceledException) when (held.IsGivenUp)
        {
            LogCut(logger, call.Box.Key, call.Request.Model);
            context.Abort();
        }
        catch (PortException failure)
        {
            await TellAsync(context, call.Provider, call.Wire, failure);
        }
        finally
        {
            await usage.SettledAsync(); // the caller has had an end or a cut; what the call used is owed until then, and its place and its session are held
        }
    }

    private async Task TellAsync(HttpContext context, string provider, CallWire wire, PortException failure)
    {
        LogFailed(logger, provider, failure.Kind, failure);
        if (context.Response.HasStarted)
        {
            context.Abort(); // the answer was cut on the way: the agent has to see a cut as well, not an end
            return;
        }

        var status = failure.Kind == PortFailureKind.Timeout ? StatusCodes.Status504GatewayTimeout : StatusCodes.Status502BadGateway;
        await WireRefusal.WriteAsync(context, wire, failure.Told ?? new("model_error", failure.Message, ProblemKind.Unavailable, failure.RetryAfter), failure.Kind == PortFailureKind.Rejected ? StatusCodes.Status422UnprocessableEntity : status);
    }

    /// <summary>
    /// The token is read first, so that nobody without one can wake a session. The question takes nothing and counts nothing, and no provider
    /// has heard of the call yet: whatever became of a question that was not answered, it may be asked again.
    /// </summary>
    private async Task<Result<AuthorizedBox>> AuthorizeAsync(HttpContext context, string provider)
    {
        if (!tokens.TryRead(context.BearerToken(), out var claims))
            return new Problem("gateway_token_invalid", "The gateway token is missing, not from here, or expired; get a new one.", ProblemKind.Unauthenticated);
        var credential = new BoxCredential(claims.Sandbox, claims.Generation, boxTokens.HashFor(claims.Key, claims.Sandbox, claims.Generation));
        try
        {
            return await sessions.AuthorizeBoxAsync(claims.Key, credential, context.RequestAborted);
        }
        catch (PortException away) when (away.Kind is PortFailureKind.Unavailable or PortFailureKind.Timeout or PortFailureKind.Fenced)
        {
            throw new ComeAgainException(away);
        }
        catch (PortException failure)
        {
            LogFailed(logger, provider, failure.Kind, failure);
            return failure.ToProblem();
        }
    }

    /// <summary>From here on the call costs money, and its session stays until its usage is told.</summary>
    private HeldCall Hold(HttpContext context, SessionKey key) => sessions.TryHold(key) is { } hold ? new(context, hold, time) : throw new ComeAgainException(null);

    private async Task<PreparedCall?> PrepareAsync(HttpContext context, AuthorizedBox box, ModelCalls.Place place, CallAddress address)
    {
        var wire = address.Wire;
        var bytes = await RequestBody.ReadAsync(context, LargestBody, place);
        if (!bytes.IsSuccess) return await RefuseAsync(context, wire, bytes.Problem);
        if (!CallBody.TryRead(bytes.Value, out var body, out var wrong)) return await RefuseAsync(context, wire, new("model_request_invalid", wrong, ProblemKind.Malformed));

        var model = $"{address.Provider}/{body.Model}";
        var route = await ResolveAsync(context, box.Key.Organization, address.Provider, model);
        if (!route.IsSuccess) return await RefuseAsync(context, wire, route.Problem);
        var headers = PassedHeaders.Where(name => context.Request.Headers.ContainsKey(name)).ToDictionary(name => name, name => context.Request.Headers[name].ToString());
        var upstream = body.ForUpstream(route.Value.UpstreamModel, askForUsage: wire == CallWire.OpenAiChat);
        return new(box, wire, new(model, address.Path, upstream, headers), address.Provider, place);
    }

    /// <summary>Nothing of it is the provider's: what fails here is the control plane's own, and told as that.</summary>
    private async ValueTask<Result<ModelRoute>> ResolveAsync(HttpContext context, OrganizationId organization, string provider, string model)
    {
        try
        {
            return await gateway.ResolveAsync(organization, model, context.RequestAborted);
        }
        catch (PortException away) when (away is { Told: null, Kind: PortFailureKind.Unavailable or PortFailureKind.Timeout or PortFailureKind.Full })
        {
            // One that asks for the relayed form takes what is in it for the provider's: it is sent away, and asks again.
            if (RelayedResponse.IsAsked(context)) throw new ComeAgainException(away);
            LogFailed(logger, provider, away.Kind, away);
            return away.ToProblem();
        }
    }

    private async Task AnswerAsync(HttpContext context, PreparedCall call, HeldCall held, CallUsage usage)
    {
        var sent = await gateway.SendAsync(call.Box.Key.Organization, call.Request, held.Over);
        if (!sent.IsSuccess)
        {
            await WireRefusal.WriteAsync(context, call.Wire, sent.Problem);
            return;
        }

        await using var upstream = sent.Value;
        if (upstream.Status is < 200 or >= 300)
        {
            await UpstreamRefusal.WriteAsync(context, call.Wire, call.Provider, upstream);
            return;
        }

        context.Response.StatusCode = upstream.Status;
        foreach (var (name, value) in upstream.Headers) context.Response.Headers[name] = value;
        context.Response.Headers.CacheControl = "no-store";
        context.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();

        var meter = new UsageMeter(call.Wire);
        var relay = new MeteredRelay(meter, usage.RecordAsync, call.Place.Take);
        var outcome = await relay.RunAsync(upstream, context.Response, held.Over, context.RequestAborted);
        if (meter.Counts is null) LogUnmetered(logger, call.Box.Key, call.Request.Model);
        if (relay.Refusal is { } refusal) LogNotKept(logger, call.Box.Key, call.Request.Model, refusal.Detail);
        if (outcome != RelayOutcome.Complete) context.Abort();
    }

    private static async Task<PreparedCall?> RefuseAsync(HttpContext context, CallWire wire, Problem problem)
    {
        await WireRefusal.WriteAsync(context, wire, problem);
        return null;
    }

    private readonly record struct CallAddress(string Provider, string Path, CallWire Wire);

    private sealed record PreparedCall(AuthorizedBox Box, CallWire Wire, ModelRequest Request, string Provider, ModelCalls.Place Place);

    [LoggerMessage(EventId = 5101, Level = LogLevel.Warning, Message = "A call of {Provider} failed: {Kind}.")]
    private static partial void LogFailed(ILogger logger, string provider, PortFailureKind kind, Exception failure);

    [LoggerMessage(EventId = 5102, Level = LogLevel.Warning, Message = "{Session}: an answer of {Model} told no usage; nothing is counted for it.")]
    private static partial void LogUnmetered(ILogger logger, SessionKey session, string model);

    [LoggerMessage(EventId = 5103, Level = LogLevel.Warning, Message = "{Session}: an answer of {Model} took longer than this host could wait with its stop, and is cut; what it had told of its usage is counted.")]
    private static partial void LogCut(ILogger logger, SessionKey session, string model);

    [LoggerMessage(EventId = 5104, Level = LogLevel.Information, Message = "A call of {Provider} came while this host could not take it; its box tries it again.")]
    private static partial void LogSentAway(ILogger logger, string provider, PortException? away);

    [LoggerMessage(EventId = 5105, Level = LogLevel.Warning, Message = "{Session}: an answer of {Model} is cut, for it could not be counted to its end; what it had told of its usage is counted. {Why}")]
    private static partial void LogNotKept(ILogger logger, SessionKey session, string model, string why);

    [LoggerMessage(EventId = 5106, Level = LogLevel.Error, Message = "A call of {Provider} failed unforeseen.")]
    private static partial void LogUnforeseen(ILogger logger, string provider, Exception failure);

    /// <summary>Nothing was begun, and the call may be tried again at once.</summary>
    private sealed class ComeAgainException(PortException? away) : Exception("The session cannot be reached from this host now.", away)
    {
        /// <summary>What of the session's host is logged, as its outage and not as a failure of this class. Null: this host stops.</summary>
        public PortException? Away { get; } = away;
    }
}
