using System.Collections.Concurrent;
using System.Net;
using System.Text.Json;
using Coordinator.Adapters.GitHubApp.Api;
using Coordinator.Ports;

namespace Coordinator.Adapters.GitHubApp.Tokens;

/// <summary>
/// Installation tokens, each for one repository, kept until shortly before they expire. Whoever asks while one is minted
/// waits for that one: however many sessions need it, the host is asked once.
/// </summary>
internal sealed class InstallationTokens(GitHubApi api, AppJwt jwt)
{
    private const int MostKept = 10_000;

    /// <summary>What is left of a token when another takes its place: a push that begins with it must be able to end.</summary>
    private static readonly TimeSpan Margin = TimeSpan.FromMinutes(10);

    private readonly ConcurrentDictionary<GitHubRepository, Lazy<Task<Result<TokenAnswer?>>>> minted = new();

    /// <summary>A token, or null when the app is not installed there. Problems as for <see cref="GitHubApi"/>.</summary>
    public async Task<Result<TokenAnswer?>> GetAsync(GitHubRepository repository, CancellationToken cancellationToken)
    {
        while (true)
        {
            var mint = new Lazy<Task<Result<TokenAnswer?>>>(() => MintAsync(repository));
            var kept = minted.GetOrAdd(repository, mint);
            var isNew = kept == mint;
            try
            {
                var answer = await kept.Value.WaitAsync(cancellationToken);
                if (answer is { IsSuccess: true, Value: { } token } && token.ExpiresAt - jwt.Now > Margin) return answer;
                Forget(repository, kept);
                if (isNew || !answer.IsSuccess || answer.Value is null) return answer;
            }
            catch (PortException)
            {
                Forget(repository, kept);
                throw;
            }
        }
    }

    /// <summary>A token that the host refused is not given out again.</summary>
    public async ValueTask ForgetAsync(GitHubRepository repository, TokenAnswer refused)
    {
        if (!minted.TryGetValue(repository, out var kept) || kept is not { IsValueCreated: true, Value: { IsCompletedSuccessfully: true } mint }) return;
        if (await mint is { IsSuccess: true, Value: { } token } && token == refused) Forget(repository, kept);
    }

    private void Forget(GitHubRepository repository, Lazy<Task<Result<TokenAnswer?>>> kept)
    {
        minted.TryRemove(KeyValuePair.Create(repository, kept));
        if (minted.Count > MostKept) minted.Clear();
    }

    /// <summary>Shared by all who wait, so it ends by its calls' own bounds and not with any one of them.</summary>
    private async Task<Result<TokenAnswer?>> MintAsync(GitHubRepository repository)
    {
        var installation = await AsAppAsync(HttpMethod.Get, $"{repository.Path}/installation", null);
        if (!installation.IsSuccess) return installation.Problem;
        if (installation.Value.Status != HttpStatusCode.OK) return (TokenAnswer?)null;
        var id = installation.Value.Read(GitHubJson.Default.InstallationAnswer).Id;
        var asked = new TokenRequest([repository.Name], new() { ["contents"] = "write", ["pull_requests"] = "write" });
        var answer = await AsAppAsync(HttpMethod.Post, $"app/installations/{id}/access_tokens", JsonSerializer.SerializeToUtf8Bytes(asked, GitHubJson.Default.TokenRequest));
        if (!answer.IsSuccess) return answer.Problem;
        return answer.Value.Status == HttpStatusCode.Created ? answer.Value.Read(GitHubJson.Default.TokenAnswer) : null;
    }

    private async Task<Result<ApiAnswer>> AsAppAsync(HttpMethod method, string path, byte[]? json)
    {
        var answer = await api.SendAsync(new(method, path, jwt.Create(), json), CancellationToken.None);
        if (answer.IsSuccess && answer.Value.Status == HttpStatusCode.Unauthorized && jwt.Correct(answer.Value.Date)) answer = await api.SendAsync(new(method, path, jwt.Create(), json), CancellationToken.None);
        if (answer.IsSuccess && answer.Value.Status == HttpStatusCode.Unauthorized) throw new PortException(PortFailureKind.Unauthorized, $"GitHub refuses the app: check {GitHubAppOptions.Section}:{nameof(GitHubAppOptions.AppId)} and its private key.");
        return answer;
    }
}
