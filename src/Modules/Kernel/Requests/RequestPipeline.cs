using System.Diagnostics;
using Coordinator.Modules.Kernel.Http;
using Coordinator.Ports;
using MediatR;
using Microsoft.Extensions.Logging;

namespace Coordinator.Modules.Kernel.Requests;

/// <summary>Where every use case leaves its span.</summary>
public static class RequestTracing
{
    public const string SourceName = "Coordinator.Requests";

    internal static readonly ActivitySource Source = new(SourceName);
}

/// <summary>One span per request, named after it; tagged with the organization, the caller's kind and the problem's code.</summary>
internal sealed class TracingBehavior<TRequest, TResponse> : IPipelineBehavior<TRequest, TResponse>
    where TRequest : IRequest<TResponse>
    where TResponse : IFromProblem<TResponse>, IOutcome
{
    public async Task<TResponse> Handle(TRequest request, CancellationToken cancellationToken, RequestHandlerDelegate<TResponse> next)
    {
        using var activity = RequestTracing.Source.StartActivity(typeof(TRequest).Name);
        if (activity is not null && request is ITenantBound bound)
        {
            activity.SetTag("coordinator.organization", bound.Tenant.Organization.ToString());
            activity.SetTag("coordinator.principal.kind", bound.Tenant.Principal.Kind.ToString());
        }

        var response = await next();
        if (response.Problem is { } problem) activity?.SetTag("coordinator.problem", problem.Code);
        return response;
    }
}

/// <summary>Refuses callers whose role is below what the request says it needs.</summary>
internal sealed class RoleBehavior<TRequest, TResponse> : IPipelineBehavior<TRequest, TResponse>
    where TRequest : IRequest<TResponse>, IRequireRole
    where TResponse : IFromProblem<TResponse>
{
    public Task<TResponse> Handle(TRequest request, CancellationToken cancellationToken, RequestHandlerDelegate<TResponse> next) =>
        request.Tenant.Role >= request.MinimumRole
            ? next()
            : Task.FromResult(TResponse.FromProblem(new("role_insufficient", $"This needs the role {request.MinimumRole}; yours is {request.Tenant.Role}.", ProblemKind.Forbidden)));
}

/// <summary>Runs every validator of a request before its handler; the first problem is the answer.</summary>
internal sealed class ValidationBehavior<TRequest, TResponse>(IEnumerable<IValidator<TRequest>> validators) : IPipelineBehavior<TRequest, TResponse>
    where TRequest : IRequest<TResponse>
    where TResponse : IFromProblem<TResponse>
{
    public Task<TResponse> Handle(TRequest request, CancellationToken cancellationToken, RequestHandlerDelegate<TResponse> next)
    {
        foreach (var validator in validators)
        {
            if (validator.Validate(request) is { } problem) return Task.FromResult(TResponse.FromProblem(problem));
        }

        return next();
    }
}

/// <summary>Turns the failure of a port into the problem a caller may see; the log keeps the rest.</summary>
internal sealed partial class PortFailureBehavior<TRequest, TResponse>(ILogger<PortFailureBehavior<TRequest, TResponse>> logger) : IPipelineBehavior<TRequest, TResponse>
    where TRequest : IRequest<TResponse>
    where TResponse : IFromProblem<TResponse>
{
    public async Task<TResponse> Handle(TRequest request, CancellationToken cancellationToken, RequestHandlerDelegate<TResponse> next)
    {
        try
        {
            return await next();
        }
        catch (PortException failure)
        {
            var level = failure.ToLogLevel();
            LogPortFailed(logger, level, typeof(TRequest).Name, failure.Kind, failure);
            return TResponse.FromProblem(failure.ToProblem());
        }
    }

    [LoggerMessage(EventId = 1101, Message = "{Request} failed: something behind a port is {Kind}.")]
    private static partial void LogPortFailed(ILogger logger, LogLevel level, string request, PortFailureKind kind, Exception failure);
}
