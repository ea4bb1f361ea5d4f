using System.Globalization;
using Coordinator.Modules.Kernel.Http;
using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Coordinator.Ports.Session;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Coordinator.Modules.Sandboxes.Repositories;

/// <summary>
/// <c>GET /v1/bridge/git-credential?host=…</c>: a box asks for the credential of the host that its session's repository is
/// on, when git needs it. Another host's credential is not a box's business: 404, as when there is none.
/// </summary>
internal sealed class GetGitCredential(ISessionHost sessions, ISourceControl source) : IEndpointModule
{
    private static readonly Problem None = new("git_credential_not_found", "There is no credential for this host.", ProblemKind.NotFound);

    public void Map(IEndpointRouteBuilder routes) => routes.MapGet("/v1/bridge/git-credential", AnswerAsync).ForBoxes().ExcludeFromDescription();

    private async Task<IResult> AnswerAsync(HttpContext context, string host)
    {
        context.Response.Headers.CacheControl = "no-store";
        var box = await context.AuthorizeBoxAsync(sessions, context.RequestAborted);
        if (!box.IsSuccess) return box.Problem.ToHttp();
        if (box.Value.Settings.Repository is not { } repository || !IsOn(host, repository)) return None.ToHttp();
        var credential = await source.MintCredentialAsync(box.Value.Key.Organization, repository, context.RequestAborted);
        return credential is null ? None.ToHttp() : Results.Json(new GitCredentialAnswer(credential.Username, credential.Password), RepositoriesJson.Default.GitCredentialAnswer);
    }

    /// <summary>Git says the port with the host's name where it is not the usual one.</summary>
    private static bool IsOn(string host, RepositoryRef repository) =>
        Uri.TryCreate(repository.Url, UriKind.Absolute, out var url) && new[] { url.IdnHost, url.Host }.Any(name => host.Equals(name, StringComparison.OrdinalIgnoreCase) || host.Equals(string.Create(CultureInfo.InvariantCulture, $"{name}:{url.Port}"), StringComparison.OrdinalIgnoreCase));
}

/// <summary>A credential for git over HTTPS.</summary>
internal sealed record GitCredentialAnswer(string Username, string Password)
{
    /// <summary>Never prints the password.</summary>
    public override string ToString() => $"git credential of {Username}";
}
