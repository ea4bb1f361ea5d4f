using System.Text.Json;
using Coordinator.Modules.SessionAccess.Sessions;
using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Coordinator.Ports.Session;
using MediatR;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Coordinator.Tests.WalkingSkeleton.World;

/// <summary>Further sessions of the same world, made as the API makes them, over repositories that boxes look into.</summary>
public sealed partial class Skeleton
{
    private readonly List<Task> alsoFollowing = [];

    /// <summary>What the session that <see cref="CreateAsync"/> makes works on; null: on none.</summary>
    public RepositoryRef? Repository { get; set; }

    /// <summary>What boxes discover of their repository; null: they do not look.</summary>
    public DetectedEnvironment? Environment { get; set; }

    /// <summary>A new session over a repository, followed until its first prompt has ended well.</summary>
    public async Task<SessionWatch> BootInAsync(string repository, OrganizationId? organization = null)
    {
        var tenant = new TenantContext(organization ?? Key.Organization, Ada, Role.Member);
        await using var scope = services.CreateAsyncScope();
        var body = new CreateSessionBody("demo/scripted", null, null, new(repository, null), null, "@say Hello.");
        var created = await scope.ServiceProvider.GetRequiredService<IMediator>().Send(new CreateSession(tenant, null, body));
        Assert.True(created.IsSuccess, created.Problem?.ToString());
        using var view = JsonDocument.Parse(created.Value.Json);
        var watch = new SessionWatch(() => Host, new(tenant.Organization, SessionId.From(IdOf(view.RootElement.GetProperty("id").GetString()!))), Clock);
        alsoFollowing.Add(Task.Run(() => watch.FollowAsync(closing.Token)));
        await UntilAsync("the first prompt's end", () => watch.Seen.Any(happened => happened.Type == "message.completed"));
        return watch;
    }
}
