using Coordinator.Ports;
using Coordinator.Ports.Identity;

namespace Coordinator.Modules.Tenancy;

/// <summary>
/// The person who answers for what a caller does with API keys: the caller, or the maker of the key they call with, and
/// then <see cref="With"/> is that key and <see cref="EndsAt"/> when it ends.
/// </summary>
internal sealed record KeyMaker(UserId User, ApiKeyId? With, DateTimeOffset? EndsAt)
{
    private static readonly Problem Nobody = new("api_key_maker_unknown", "Only a person, or a live API key of a person, can do this.", ProblemKind.Forbidden);

    /// <summary>Finds the person; <paramref name="keys"/> are the organization's live keys.</summary>
    public static Result<KeyMaker> Of(Principal principal, IReadOnlyList<StoredCredential> keys)
    {
        if (principal.Kind == PrincipalKind.User && UserId.TryParse(principal.Id, out var user)) return new KeyMaker(user, null, null);
        if (principal.Kind != PrincipalKind.ApiKey || !ApiKeyId.TryParse(principal.Id, out var id)) return Nobody;
        return keys.FirstOrDefault(key => key.Id == id.Value) is { } own ? new KeyMaker(own.User, id, own.ExpiresAt) : Nobody;
    }
}
