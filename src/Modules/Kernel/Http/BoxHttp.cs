using Coordinator.Ports;
using Coordinator.Ports.Session;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Coordinator.Modules.Kernel.Http;

/// <summary>How the routes of boxes find out which box calls.</summary>
public static class BoxHttp
{
    private const string Scheme = "Bearer ";

    /// <summary>What follows <c>Authorization: Bearer</c>, or null.</summary>
    public static string? BearerToken(this HttpContext context)
    {
        var header = context.Request.Headers.Authorization.ToString();
        return header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) ? header[Scheme.Length..].Trim() : null;
    }

    /// <summary>
    /// The box whose <c>sb_</c> token the request carries, if its session wants it now. Problems:
    /// <c>box_credential_invalid</c> (401; a session that is not there is answered the same) and <c>box_not_wanted</c> (410).
    /// A yes may be up to <see cref="BoxConfirmations.Lifetime"/> old.
    /// </summary>
    /// <exception cref="PortException">The session could not be asked.</exception>
    public static async ValueTask<Result<AuthorizedBox>> AuthorizeBoxAsync(this HttpContext context, ISessionHost sessions, CancellationToken cancellationToken)
    {
        if (!BoxToken.TryParse(context.BearerToken(), out var token)) return CredentialInvalid;
        var confirmations = context.RequestServices.GetService<BoxConfirmations>();
        if (confirmations is null) return await sessions.AuthorizeBoxAsync(token.Key, token.Credential, cancellationToken);
        if (confirmations.Find(token.Credential.TokenHash) is { } known) return known;
        var askedAt = confirmations.Now;
        var answer = await sessions.AuthorizeBoxAsync(token.Key, token.Credential, cancellationToken);
        if (answer.IsSuccess) confirmations.Keep(answer.Value, askedAt);
        else confirmations.Forget(token.Credential.TokenHash);
        return answer;
    }

    /// <summary>Asks a session whether it wants this box now.</summary>
    public static async ValueTask<Result<AuthorizedBox>> AuthorizeBoxAsync(this ISessionHost sessions, SessionKey key, BoxCredential credential, CancellationToken cancellationToken)
    {
        var answer = await sessions.CallAsync(key, new SessionCommand.AuthorizeBox(credential), cancellationToken);
        if (answer.IsSuccess && answer.Value is SessionReply.BoxAuthorized authorized) return new AuthorizedBox(key, credential, authorized.Settings, authorized.Running);
        return answer.Problem is { Kind: not (ProblemKind.NotFound or ProblemKind.Unauthenticated) } problem ? problem : CredentialInvalid;
    }

    private static Problem CredentialInvalid { get; } = new("box_credential_invalid", "This is not the token of a box of a session here.", ProblemKind.Unauthenticated);
}

/// <summary>A box that its session wants now, its settings, and the message that runs in it.</summary>
public sealed record AuthorizedBox(SessionKey Key, BoxCredential Credential, SessionSettings Settings, MessageId? Running);
