using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Coordinator.Ports;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Logging;

namespace Coordinator.Modules.Kernel.Http;

/// <summary>The one place that turns problems and port failures into RFC 9457 problem details.</summary>
public static class ProblemHttp
{
    /// <summary>The media type of every refusal.</summary>
    public const string ContentType = "application/problem+json";

    private static readonly JsonWriterOptions Writing = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The answer for a result: its value by <paramref name="onSuccess"/>, or its problem.</summary>
    public static IResult ToHttp<T>(this Result<T> result, Func<T, IResult> onSuccess) =>
        result.IsSuccess ? onSuccess(result.Value) : result.Problem.ToHttp();

    /// <summary>The answer for a problem; <paramref name="status"/> where no kind stands for the status (405).</summary>
    public static IResult ToHttp(this Problem problem, int? status = null) => new ProblemAnswer(problem, status);

    /// <summary>What a caller is told of a failed dependency: that it is down and when to try again, or what the port has to say to them (<see cref="PortException.Told"/>); never its internals.</summary>
    public static Problem ToProblem(this PortException failure) => failure.Told ?? failure.Kind switch
    {
        PortFailureKind.Limited => new("dependency_limited", "Something this needs refuses more work for now; try again shortly.", ProblemKind.TooMany, failure.RetryAfter ?? TimeSpan.FromSeconds(5)),
        PortFailureKind.Rejected => new("dependency_rejected", "Something this needs refused the request.", ProblemKind.Unprocessable),
        PortFailureKind.Corrupt => new("stored_data_unreadable", "Stored data could not be read; an operator must look at the log.", ProblemKind.Unavailable, TimeSpan.FromSeconds(30)),
        _ => new("dependency_unavailable", "Something this needs is down for the moment; try again with the same Idempotency-Key.", ProblemKind.Unavailable, failure.RetryAfter ?? TimeSpan.FromSeconds(1)),
    };

    /// <summary>How loudly an operator is told of a failed dependency. A planned refusal is no failure, and every caller meets it until the host has stopped.</summary>
    public static LogLevel ToLogLevel(this PortException failure) => failure.IsPlanned ? LogLevel.Debug : LogLevel.Warning;

    /// <summary>The status of a kind of problem.</summary>
    public static int StatusOf(ProblemKind kind) => kind switch
    {
        ProblemKind.Malformed => StatusCodes.Status400BadRequest,
        ProblemKind.Unauthenticated => StatusCodes.Status401Unauthorized,
        ProblemKind.Forbidden => StatusCodes.Status403Forbidden,
        ProblemKind.NotFound => StatusCodes.Status404NotFound,
        ProblemKind.Conflict => StatusCodes.Status409Conflict,
        ProblemKind.Gone => StatusCodes.Status410Gone,
        ProblemKind.TooLarge => StatusCodes.Status413PayloadTooLarge,
        ProblemKind.TooMany => StatusCodes.Status429TooManyRequests,
        ProblemKind.Unreachable => StatusCodes.Status502BadGateway,
        ProblemKind.Unavailable => StatusCodes.Status503ServiceUnavailable,
        _ => StatusCodes.Status422UnprocessableEntity,
    };

    /// <summary>
    /// Writes a problem as the whole answer. <paramref name="status"/> overrides the one of its kind, for statuses that
    /// no kind stands for (405, 415, 500).
    /// </summary>
    public static Task WriteProblemAsync(this HttpContext context, Problem problem, int? status = null)
    {
        var response = context.Response;
        response.StatusCode = status ?? StatusOf(problem.Kind);
        response.ContentType = ContentType;
        if (problem.RetryAfter is { } wait)
            response.Headers.RetryAfter = Math.Max(1, (int)Math.Ceiling(wait.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
        if (response.StatusCode == StatusCodes.Status401Unauthorized) response.Headers.WWWAuthenticate = "Bearer realm=\"coordinator\"";
        var body = Format(problem, response.StatusCode, Activity.Current?.TraceId.ToString() ?? context.TraceIdentifier);
        response.ContentLength = body.Length;
        return response.Body.WriteAsync(body, context.RequestAborted).AsTask();
    }

    private static ReadOnlyMemory<byte> Format(Problem problem, int status, string traceId)
    {
        var buffer = new System.Buffers.ArrayBufferWriter<byte>(512);
        using var json = new Utf8JsonWriter(buffer, Writing);
        json.WriteStartObject();
        json.WriteString("type"u8, $"https://coordinator.dev/problems/{problem.Code}");
        json.WriteString("title"u8, ReasonPhrases.GetReasonPhrase(status));
        json.WriteNumber("status"u8, status);
        json.WriteString("code"u8, problem.Code);
        json.WriteString("detail"u8, problem.Detail);
        json.WriteString("traceId"u8, traceId);
        json.WriteEndObject();
        json.Flush();
        return buffer.WrittenMemory;
    }

    private sealed class ProblemAnswer(Problem problem, int? status) : IResult
    {
        public Task ExecuteAsync(HttpContext httpContext) => httpContext.WriteProblemAsync(problem, status);
    }
}
