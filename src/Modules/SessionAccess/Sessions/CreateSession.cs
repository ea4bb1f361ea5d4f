using Coordinator.Modules.Kernel.Contracts;
using Coordinator.Modules.Kernel.Http;
using Coordinator.Modules.Kernel.Requests;
using Coordinator.Modules.SessionAccess.Messages;
using Coordinator.Ports;
using Coordinator.Ports.Session;
using MediatR;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Options;

namespace Coordinator.Modules.SessionAccess.Sessions;

/// <summary>Body of <c>POST /v1/sessions</c>.</summary>
public sealed record CreateSessionBody(string? Model, string? Agent, string? Title, RepositoryBody? Repository, PermissionMode? Permissions, string? Prompt);

/// <summary>A repository as it is asked for.</summary>
public sealed record RepositoryBody(string? Url, string? Branch);

/// <summary>Makes a session and, when a prompt is given, queues it as the first message.</summary>
public sealed record CreateSession(TenantContext Tenant, string? IdempotencyKey, CreateSessionBody Body) : ITenantRequest<SessionView>, IRequireRole
{
    public Role MinimumRole => Role.Member;
}

internal sealed class CreateSessionValidator(IOptions<SessionAccessOptions> options) : IValidator<CreateSession>
{
    public Problem? Validate(CreateSession request)
    {
        var body = request.Body;
        if (string.IsNullOrWhiteSpace(body.Model)) return new("model_required", "Name a model as provider/model; there is no default. GET /v1/models lists what is ready.");
        if (body.Agent is { } agent && !options.Value.Agents.Contains(agent, StringComparer.Ordinal))
            return new("agent_unknown", $"The agents here are: {string.Join(", ", options.Value.Agents)}.");
        if (body.Title is { } title && SessionTitle.Check(title) is { } badTitle) return badTitle;
        if (body.Repository is { } repository && RepositoryAddress.Check(repository) is { } badRepository) return badRepository;
        return body.Prompt is { } prompt ? PromptText.Check(prompt) : null;
    }
}

internal sealed class CreateSessionHandler(ISessionHost sessions, ISessionJournal journal, SessionNaming naming, IMediator mediator, TimeProvider time, IOptions<SessionAccessOptions> options) : IRequestHandler<CreateSession, Result<SessionView>>
{
    public async Task<Result<SessionView>> Handle(CreateSession request, CancellationToken cancellationToken)
    {
        var (tenant, body) = (request.Tenant, request.Body);
        var model = body.Model!.Trim();
        var choosing = naming.ChooseAsync(tenant, request.IdempotencyKey, cancellationToken); // neither question waits for the other
        var usable = await mediator.Send(new ValidateModel(tenant, model), cancellationToken);
        var key = tenant.Key(await choosing);
        if (!usable.IsSuccess) return usable.Problem;

        var repository = body.Repository is { } named ? RepositoryAddress.Parse(named) : null;
        var settings = new SessionSettings(model, body.Agent ?? options.Value.Agents[0], repository, body.Permissions ?? PermissionMode.Auto);
        var title = SessionTitle.Choose(body.Title, body.Prompt, repository);
        var known = repository is null ? null : await journal.FindEnvironmentAsync(tenant.Organization, repository.Url, cancellationToken);
        var created = await sessions.CallAsync(key, new SessionCommand.Create(tenant.Principal, settings, title, known), cancellationToken);
        if (!created.IsSuccess) return created.Problem;
        return body.Prompt is { } prompt
            ? await sessions.ViewAfterAsync(key, FirstMessage(request, prompt), cancellationToken)
            : await sessions.ViewAsync(key, cancellationToken);
    }

    private SessionCommand.Prompt FirstMessage(CreateSession request, string prompt) => new(
        request.Tenant.Principal,
        MessageId.New(time),
        RequestIds.Identity(request.Tenant, request.IdempotencyKey, prompt, null, null),
        prompt,
        Model: null,
        RetryOf: null);
}

internal sealed class CreateSessionEndpoint : IEndpointModule
{
    public void Map(IEndpointRouteBuilder routes) =>
        routes.MapPost("/v1/sessions", async (CreateSessionBody body, HttpContext context, IMediator mediator, CancellationToken cancellationToken) =>
            (await mediator.Send(new CreateSession(context.Tenant(), context.IdempotencyKey(), body), cancellationToken)).ToHttp(RawJson.Created))
            .Documented("CreateSession", "Sessions", "Makes a session; with a prompt, also its first message.")
            .Produces<SessionDocument>(StatusCodes.Status201Created)
            .RecognisesRepeats(); // by the session's id, which derives from the key
}
