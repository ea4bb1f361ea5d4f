using Coordinator.Ports;
using Coordinator.Ports.Identity;
using Npgsql;

namespace Coordinator.Adapters.Postgres;

/// <summary>The two questions that every request asks: whose credential is this, and where are they a member. One round trip for both.</summary>
internal sealed class CallerLookup(TenantStatements statements)
{
    private const string FindApiKey = """
        SELECT id, 'api_key', hash, hint, name, person, org, role, created_at, expires_at, NULL::timestamptz, revoked_at, parent
        FROM api_key WHERE hash = $1
        """;

    private const string FindPersonal = """
        SELECT id, kind, hash, hint, name, person, NULL::uuid, 'viewer', created_at, expires_at, spent_at, revoked_at, NULL::uuid
        FROM personal_credential WHERE hash = $1 AND kind = $2
        """;

    private const string Places = """
        SELECT membership.org, organization.name, membership.role, membership.role, person.display_name, organization.created_at
        FROM membership JOIN organization USING (org) JOIN person ON person.id = membership.person
        """;

    private const string PlacesOfPerson = $"{Places} WHERE membership.person = $1 ORDER BY membership.since, membership.org";

    private const string PlacesOfCredential = $"""
        {Places} WHERE membership.person = (SELECT person FROM personal_credential WHERE hash = $1 AND kind = $2)
        ORDER BY membership.since, membership.org
        """;

    private const string KeyPlace = """
        SELECT api_key.org, organization.name, api_key.role, membership.role, NULL::text, organization.created_at
        FROM api_key JOIN membership USING (org, person) JOIN organization USING (org)
        """;

    private const string PlaceOfKey = $"{KeyPlace} WHERE api_key.id = $1 AND api_key.revoked_at IS NULL";

    private const string PlaceOfKeyHash = $"{KeyPlace} WHERE api_key.hash = $1 AND api_key.revoked_at IS NULL";

    /// <summary>The credential with its holder's standing; a sign-in link has none to speak of.</summary>
    public ValueTask<StoredCredential?> FindCredentialAsync(CredentialKind kind, ReadOnlyMemory<byte> hash, CancellationToken cancellationToken) => statements.ReadAsync(
        TenantScope.System,
        "looking a credential up",
        kind == CredentialKind.ApiKey
            ? [new(FindApiKey, hash.ToArray()), new(PlaceOfKeyHash, hash.ToArray())]
            : [new(FindPersonal, hash.ToArray(), SnakeCaseName<CredentialKind>.Of(kind)), new(PlacesOfCredential, hash.ToArray(), SnakeCaseName<CredentialKind>.Of(kind))],
        async (reader, ct) =>
        {
            if (!await reader.ReadAsync(ct)) return null;
            var found = Credential(reader);
            await reader.NextResultAsync(ct);
            return found with { Standing = await ReadStandingAsync(reader, ct) };
        },
        cancellationToken);

    public ValueTask<CallerStanding> StandingOfAsync(Principal principal, CancellationToken cancellationToken) => principal.Kind switch
    {
        PrincipalKind.User when UserId.TryParse(principal.Id, out var user) => LookUpAsync(new(PlacesOfPerson, user.Value), cancellationToken),
        PrincipalKind.ApiKey when ApiKeyId.TryParse(principal.Id, out var key) => LookUpAsync(new(PlaceOfKey, key.Value), cancellationToken),
        _ => new(new CallerStanding(null, [])),
    };

    private ValueTask<CallerStanding> LookUpAsync(Statement statement, CancellationToken cancellationToken) =>
        statements.ReadAsync(TenantScope.System, "looking memberships up", [statement], ReadStandingAsync, cancellationToken);

    private static async Task<CallerStanding> ReadStandingAsync(NpgsqlDataReader reader, CancellationToken cancellationToken)
    {
        var (name, places) = ((string?)null, new List<OrganizationInfo>());
        while (await reader.ReadAsync(cancellationToken))
        {
            var (granted, members) = (SnakeCaseName<Role>.Parse(reader.GetString(2)), SnakeCaseName<Role>.Parse(reader.GetString(3)));
            places.Add(new(new(reader.GetGuid(0)), reader.GetString(1), granted < members ? granted : members, reader.GetFieldValue<DateTimeOffset>(5)));
            if (!reader.IsDBNull(4)) name = reader.GetString(4);
        }

        return new(name, places);
    }

    private static StoredCredential Credential(NpgsqlDataReader reader) => new(
        reader.GetGuid(0),
        SnakeCaseName<CredentialKind>.Parse(reader.GetString(1)),
        reader.GetFieldValue<byte[]>(2),
        reader.GetString(3),
        reader.GetString(4),
        new(reader.GetGuid(5)),
        reader.IsDBNull(6) ? null : new OrganizationId(reader.GetGuid(6)),
        SnakeCaseName<Role>.Parse(reader.GetString(7)),
        reader.GetFieldValue<DateTimeOffset>(8),
        Time(reader, 9),
        Time(reader, 10),
        Time(reader, 11))
    {
        Parent = reader.IsDBNull(12) ? null : reader.GetGuid(12),
    };

    private static DateTimeOffset? Time(NpgsqlDataReader reader, int column) => reader.IsDBNull(column) ? null : reader.GetFieldValue<DateTimeOffset>(column);
}
