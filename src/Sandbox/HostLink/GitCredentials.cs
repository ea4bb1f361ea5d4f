using System.Net;
using System.Net.Http.Json;
using Coordinator.Sandbox.Events;

namespace Coordinator.Sandbox.HostLink;

/// <summary>Asks the control plane for the credential of a git host, each time anew: it expires within the hour.</summary>
internal sealed class GitCredentials(HostConnection host, Redactor redactor, TimeProvider time)
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(20);

    /// <summary>Null when there is none for this host.</summary>
    /// <exception cref="HttpRequestException">The control plane did not answer.</exception>
    public async Task<GitCredentialAnswer?> FindAsync(string gitHost, CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(Timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        using var request = host.NewRequest(HttpMethod.Get, $"v1/bridge/git-credential?host={Uri.EscapeDataString(gitHost)}");
        using var response = await host.SendAsync(request, either.Token);
        if (response.StatusCode == HttpStatusCode.NotFound) return null;
        response.EnsureSuccessStatusCode();
        var credential = await response.Content.ReadFromJsonAsync(HostJson.Default.GitCredentialAnswer, either.Token);
        if (credential is not null) redactor.Add(credential.Password);
        return credential;
    }
}
