using Coordinator.Modules.Kernel.Http;
using Coordinator.Modules.Models.Metering;
using Coordinator.Ports;
using Microsoft.AspNetCore.Http;

namespace Coordinator.Modules.Models.Gateway;

/// <summary>
/// A refusal of the gateway itself in the form the wire's clients understand, so that an agent shows its text instead of
/// "unknown error".
/// </summary>
internal static class WireRefusal
{
    public static Task WriteAsync(HttpContext context, CallWire wire, Problem problem, int? status = null)
    {
        var answer = context.Response;
        answer.StatusCode = status ?? ProblemHttp.StatusOf(problem.Kind);
        if (problem.RetryAfter is { } wait) answer.Headers.RetryAfter = ((int)Math.Ceiling(wait.TotalSeconds)).ToString(System.Globalization.CultureInfo.InvariantCulture);
        answer.Headers.CacheControl = "no-store";
        return wire == CallWire.AnthropicMessages
            ? answer.WriteAsJsonAsync(new AnthropicError("error", new(TypeOf(answer.StatusCode), problem.Detail, problem.Code)), ModelsJson.Default.AnthropicError, contentType: null, context.RequestAborted)
            : answer.WriteAsJsonAsync(new OpenAiError(new(problem.Detail, TypeOf(answer.StatusCode), problem.Code)), ModelsJson.Default.OpenAiError, contentType: null, context.RequestAborted);
    }

    private static string TypeOf(int status) => status switch
    {
        StatusCodes.Status401Unauthorized => "authentication_error",
        StatusCodes.Status403Forbidden => "permission_error",
        StatusCodes.Status404NotFound => "not_found_error",
        StatusCodes.Status413PayloadTooLarge => "request_too_large",
        StatusCodes.Status429TooManyRequests => "rate_limit_error",
        >= 500 => "api_error",
        _ => "invalid_request_error",
    };
}

internal sealed record OpenAiError(OpenAiErrorBody Error);

internal sealed record OpenAiErrorBody(string Message, string Type, string Code);

internal sealed record AnthropicError(string Type, AnthropicErrorBody Error);

internal sealed record AnthropicErrorBody(string Type, string Message, string Code);
