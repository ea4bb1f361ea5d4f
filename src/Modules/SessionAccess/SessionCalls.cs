using Coordinator.Ports;
using Coordinator.Ports.Session;

namespace Coordinator.Modules.SessionAccess;

/// <summary>Asks a session on behalf of a tenant. The key is always made from the tenant's own organization, so another tenant's session is absent.</summary>
internal static class SessionCalls
{
    public static SessionKey Key(this TenantContext tenant, SessionId session) => new(tenant.Organization, session);

    /// <summary>Runs a command and expects one kind of reply.</summary>
    public static async Task<Result<TReply>> AskAsync<TReply>(this ISessionHost sessions, SessionKey key, SessionCommand command, CancellationToken cancellationToken)
        where TReply : SessionReply
    {
        var answer = await sessions.CallAsync(key, command, cancellationToken);
        if (!answer.IsSuccess) return answer.Problem;
        return answer.Value as TReply ?? throw new InvalidOperationException($"A session answered {command.GetType().Name} with {answer.Value.GetType().Name}.");
    }

    /// <summary>Runs a command whatever it replies, then reads the session as committed.</summary>
    public static async Task<Result<SessionView>> ViewAfterAsync(this ISessionHost sessions, SessionKey key, SessionCommand command, CancellationToken cancellationToken)
    {
        var answer = await sessions.CallAsync(key, command, cancellationToken);
        return answer.IsSuccess ? await sessions.ViewAsync(key, cancellationToken) : answer.Problem;
    }

    public static async Task<Result<SessionView>> ViewAsync(this ISessionHost sessions, SessionKey key, CancellationToken cancellationToken)
    {
        var view = await sessions.AskAsync<SessionReply.View>(key, new SessionCommand.GetView(), cancellationToken);
        return view.IsSuccess ? view.Value.Session : view.Problem;
    }
}
