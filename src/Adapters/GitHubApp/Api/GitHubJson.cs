using System.Text.Json.Serialization;

namespace Coordinator.Adapters.GitHubApp.Api;

internal sealed record InstallationAnswer(long Id);

internal sealed record TokenRequest(string[] Repositories, Dictionary<string, string> Permissions);

/// <summary>A token as it was minted; of any length and form.</summary>
internal sealed record TokenAnswer(string Token, DateTimeOffset ExpiresAt)
{
    /// <summary>Never prints the token.</summary>
    public override string ToString() => $"installation token until {ExpiresAt:O}";
}

internal sealed record RepositoryAnswer(string DefaultBranch);

internal sealed record BranchAnswer(string Name, CommitAnswer Commit);

internal sealed record CommitAnswer(string Sha);

internal sealed record TreeAnswer(TreeEntry[] Tree, bool Truncated);

internal sealed record TreeEntry(string Path, string Mode, string Type, string Sha, long? Size);

internal sealed record PullRequestRequest(string Title, string Head, string Base, string Body);

internal sealed record PullRequestAnswer(int Number, Uri HtmlUrl);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(InstallationAnswer))]
[JsonSerializable(typeof(TokenRequest))]
[JsonSerializable(typeof(TokenAnswer))]
[JsonSerializable(typeof(RepositoryAnswer))]
[JsonSerializable(typeof(BranchAnswer))]
[JsonSerializable(typeof(BranchAnswer[]))]
[JsonSerializable(typeof(TreeAnswer))]
[JsonSerializable(typeof(PullRequestRequest))]
[JsonSerializable(typeof(PullRequestAnswer))]
[JsonSerializable(typeof(PullRequestAnswer[]))]
internal sealed partial class GitHubJson : JsonSerializerContext;
