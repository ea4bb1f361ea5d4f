using Coordinator.Ports;
using Coordinator.Ports.Identity;
using Microsoft.AspNetCore.Http;

namespace Coordinator.Modules.Kernel.Authentication;

/// <summary>Reads which credential a request shows. An <c>Authorization</c> header goes before the cookie.</summary>
internal static class CredentialReader
{
    public const string OrganizationHeader = "Coordinator-Organization";

    private const string OrganizationQuery = "organization";
    private const string Scheme = "Bearer ";
    private const string ApiKeyPrefix = "ck_";
    private const string BrowserSessionPrefix = "cs_";
    private const int MaxLength = 512;

    private static readonly Problem Missing = new("credential_missing", "Send an API key as 'Authorization: Bearer ck_…', or sign in.", ProblemKind.Unauthenticated);
    private static readonly Problem Invalid = new("credential_invalid", "This credential is not valid now. Make a new API key, or sign in again.", ProblemKind.Unauthenticated);

    public static Result<PresentedCredential> Read(HttpContext context)
    {
        var headers = context.Request.Headers.Authorization;
        if (headers.Count > 0) return headers.Count == 1 ? FromHeader(headers[0]!) : Invalid;
        if (!context.Request.Cookies.TryGetValue(BrowserCookie.Name, out var cookie) || cookie.Length == 0) return Missing;
        return Present(CredentialKind.BrowserSession, BrowserSessionPrefix, cookie);
    }

    /// <summary>
    /// The organization a request names: in its header, or where a browser lets a page set none (sockets, links) in its
    /// query. Named twice and not alike it names nothing that exists.
    /// </summary>
    public static string? Organization(HttpContext context)
    {
        string?[] named = [.. context.Request.Headers[OrganizationHeader], .. context.Request.Query[OrganizationQuery]];
        if (named.Length == 0) return null;
        return Array.TrueForAll(named, one => one == named[0]) ? named[0] ?? string.Empty : string.Empty;
    }

    private static Result<PresentedCredential> FromHeader(string header) =>
        header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) ? Present(CredentialKind.ApiKey, ApiKeyPrefix, header[Scheme.Length..].Trim()) : Invalid;

    private static Result<PresentedCredential> Present(CredentialKind kind, string prefix, string secret) =>
        secret.Length <= MaxLength && secret.StartsWith(prefix, StringComparison.Ordinal) ? new PresentedCredential(kind, secret) : Invalid;
}
