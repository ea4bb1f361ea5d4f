using System.Diagnostics;
using System.Globalization;
using Coordinator.Ports;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;

namespace Coordinator.Modules.Kernel.Http;

/// <summary>The one place that turns problems and port failures into RFC 9457 problem details.</summary>
public static class ProblemHttp
{
    /// <summary>The answer for a result: its value by <paramref name="onSuccess"/>, or its problem.</summary>
    public static IResult ToHttp<T>(this Result<T> result, Func<T, IResult> onSuccess) =>
        result.IsSuccess ? onSuccess(result.Value) : result.Problem.ToHttp();

    public static IResult ToHttp(this Problem problem) => new ProblemAnswer(problem);

    /// <summary>What a caller is told of a failed dependency: that it is down and when to try again, never its internals.</summary>
    public static Problem ToProblem(this PortException failure) => failure.Kind switch
    {
        PortFailureKind.Limited => new("dependency_limited", "Something this needs refuses more work for now; try again shortly.", ProblemKind.TooMany, failure.RetryAfter ?? TimeSpan.FromSeconds(5)),
        PortFailureKind.Rejected => new("dependency_rejected", "Something this needs refused the request.", ProblemKind.Unprocessable),
        PortFailureKind.Corrupt => new("stored_data_unreadable", "Stored data could not be read; an operator must look at the log.", ProblemKind.Unavailable, TimeSpan.FromSeconds(30)),
        _ => new("dependency_unavailable", "Something this needs is down for the moment; try again with the same Idempotency-Key.", ProblemKind.Unavailable, failure.RetryAfter ?? TimeSpan.FromSeconds(1)),
    };

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
        ProblemKind.Unavailable => StatusCodes.Status503ServiceUnavailable,
        _ => StatusCodes.Status422UnprocessableEntity,
    };

    private sealed class ProblemAnswer(Problem problem) : IResult
    {
        public Task ExecuteAsync(HttpContext httpContext)
        {
            var status = StatusOf(problem.Kind);
            if (problem.RetryAfter is { } wait)
                httpContext.Response.Headers.RetryAfter = Math.Max(1, (int)Math.Ceiling(wait.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
            var details = new ProblemDetails
            {
                Type = $"https://coordinator.dev/problems/{problem.Code}",
                Title = Microsoft.AspNetCore.WebUtilities.ReasonPhrases.GetReasonPhrase(status),
                Status = status,
                Detail = problem.Detail,
                Extensions = { ["code"] = problem.Code, ["traceId"] = Activity.Current?.TraceId.ToString() ?? httpContext.TraceIdentifier },
            };
            return Results.Problem(details).ExecuteAsync(httpContext);
        }
    }
}
