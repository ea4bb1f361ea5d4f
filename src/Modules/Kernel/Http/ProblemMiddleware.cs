using System.Text.Json;
using Coordinator.Ports;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Coordinator.Modules.Kernel.Http;

/// <summary>
/// The outermost step: whatever goes wrong inside becomes problem details, and a refusal of the framework that has no
/// body gets one. What is not foreseen is a 500 that says nothing but its trace id; the log has the rest.
/// </summary>
internal sealed partial class ProblemMiddleware(RequestDelegate next, ILogger<ProblemMiddleware> logger)
{
    private const int ClientClosedRequest = 499;

    public async Task InvokeAsync(HttpContext context)
    {
        try
        {
            await next(context);
            if (!context.Response.HasStarted && IsBare(context) && Describe(context.Response.StatusCode, context) is { } problem)
                await context.WriteProblemAsync(problem, context.Response.StatusCode);
        }
        catch (Exception failure) when (!context.Response.HasStarted)
        {
            await AnswerAsync(context, failure);
        }
        catch (Exception failure) when (context.RequestAborted.IsCancellationRequested)
        {
            LogClientLeft(logger, context.Request.Path, failure);
        }
    }

    private async Task AnswerAsync(HttpContext context, Exception failure)
    {
        if (context.RequestAborted.IsCancellationRequested && failure is OperationCanceledException or IOException)
        {
            context.Response.StatusCode = ClientClosedRequest;
            return;
        }

        switch (failure)
        {
            case PortException port:
                var level = port.ToLogLevel();
                LogPortFailed(logger, level, context.Request.Method, context.Request.Path, port.Kind, port);
                await WriteFreshAsync(context, port.ToProblem(), null);
                break;
            case BadHttpRequestException bad:
                var problem = MalformedRequest.Explain(bad, context);
                await WriteFreshAsync(context, problem, bad.StatusCode == StatusCodes.Status415UnsupportedMediaType ? bad.StatusCode : null);
                break;
            case JsonException json:
                await WriteFreshAsync(context, MalformedRequest.Explain(json), null);
                break;
            default:
                LogUnforeseen(logger, context.Request.Method, context.Request.Path, failure);
                await WriteFreshAsync(context, new("internal_error", "Something went wrong here. Report the traceId; a retry with the same Idempotency-Key is safe.", ProblemKind.Unavailable), StatusCodes.Status500InternalServerError);
                break;
        }
    }

    private static Task WriteFreshAsync(HttpContext context, Problem problem, int? status)
    {
        context.Response.Clear();
        return context.WriteProblemAsync(problem, status);
    }

    private static bool IsBare(HttpContext context) =>
        context.Response.StatusCode >= 400 && context.Response.ContentLength is null && string.IsNullOrEmpty(context.Response.ContentType);

    private static Problem? Describe(int status, HttpContext context) => status switch
    {
        StatusCodes.Status404NotFound => new("route_not_found", $"There is nothing at {context.Request.Method} {context.Request.Path}.", ProblemKind.NotFound),
        StatusCodes.Status405MethodNotAllowed => new("method_not_allowed", $"{context.Request.Path} does not take {context.Request.Method}."),
        StatusCodes.Status415UnsupportedMediaType => new("content_type_unsupported", "Send the body as application/json."),
        StatusCodes.Status400BadRequest => new("request_malformed", "The request cannot be read.", ProblemKind.Malformed),
        StatusCodes.Status413PayloadTooLarge => new("request_too_large", "The body is larger than this route takes.", ProblemKind.TooLarge),
        _ => null,
    };

    [LoggerMessage(EventId = 1001, Level = LogLevel.Error, Message = "{Method} {Path} failed.")]
    private static partial void LogUnforeseen(ILogger logger, string method, PathString path, Exception failure);

    [LoggerMessage(EventId = 1002, Message = "{Method} {Path}: something behind a port is {Kind}.")]
    private static partial void LogPortFailed(ILogger logger, LogLevel level, string method, PathString path, PortFailureKind kind, Exception failure);

    [LoggerMessage(EventId = 1003, Level = LogLevel.Debug, Message = "The client left {Path} while it was answered.")]
    private static partial void LogClientLeft(ILogger logger, PathString path, Exception failure);
}
