using Coordinator.Ports;
using Coordinator.Ports.Identity;
using Npgsql;

namespace Coordinator.Adapters.Postgres;

/// <summary>The two questions that every request asks: whose credential is this, and where are they a member. One round trip each.</summary>
internal sealed class CallerLookup(TenantStatements statements)
{
    private const string FindApiKey = """
        SELECT id, 'api_key', hash, hint, name, person, org, role, created_at, expires_at, NULL::timestamptz, revoked_at
        FROM api_key WHERE hash = $1
        """;

    private const string FindPersonal = """
        SELECT id, kind, hash, hint, name, person, NULL::uuid, 'viewer', created_at, expires_at, spent_at, revoked_at
        FROM personal_credential WHERE hash = $1 AND kind = $2
        """;

    private const string PlacesOfPerson = """
        SELECT membership.org, organization.name, membership.role, membership.role, person.display_name, organization.created_at
        FROM membership JOIN organization USING (org) JOIN person ON person.id = membership.person
        WHERE membership.person = $1 ORDER BY membership.since, membership.org
        """;

    private const string PlaceOfKey = """
        SELECT api_key.org, organization.name, api_key.role, membership.role, NULL::text, organization.created_at
        FROM api_key JOIN membership USING (org, person) JOIN organization USING (org)
        WHERE api_key.id = $1 AND api_key.revoked_at IS NULL
        """;

    public ValueTask<StoredCredential?> FindCredentialAsync(CredentialKind kind, ReadOnlyMemory<byte> hash, CancellationToken cancellationToken) => statements.ReadAsync(
        TenantScope.System,
        "looking a credential up",
        kind == CredentialKind.ApiKey ? new(FindApiKey, hash.ToArray()) : new(FindPersonal, hash.ToArray(), SnakeCaseName<CredentialKind>.Of(kind)),
        async (reader, ct) => await reader.ReadAsync(ct) ? Credential(reader) : null,
        cancellationToken);

    public ValueTask<Standing> StandingOfAsync(Principal principal, CancellationToken cancellationToken) => principal.Kind switch
    {
        PrincipalKind.User when UserId.TryParse(principal.Id, out var user) => ReadStandingAsync(principal, new(PlacesOfPerson, user.Value), cancellationToken),
        PrincipalKind.ApiKey when ApiKeyId.TryParse(principal.Id, out var key) => ReadStandingAsync(principal, new(PlaceOfKey, key.Value), cancellationToken),
        _ => new(new Standing(principal, [])),
    };

    private ValueTask<Standing> ReadStandingAsync(Principal principal, Statement statement, CancellationToken cancellationToken) => statements.ReadAsync(
        TenantScope.System,
        "looking memberships up",
        statement,
        async (reader, ct) =>
        {
            var (named, places) = (principal, new List<OrganizationInfo>());
            while (await reader.ReadAsync(ct))
            {
                var (granted, members) = (SnakeCaseName<Role>.Parse(reader.GetString(2)), SnakeCaseName<Role>.Parse(reader.GetString(3)));
                places.Add(new(new(reader.GetGuid(0)), reader.GetString(1), granted < members ? granted : members, reader.GetFieldValue<DateTimeOffset>(5)));
                if (!reader.IsDBNull(4)) named = principal with { DisplayName = reader.GetString(4) };
            }

            return new Standing(named, places);
        },
        cancellationToken);

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
        Time(reader, 11));

    private static DateTimeOffset? Time(NpgsqlDataReader reader, int column) => reader.IsDBNull(column) ? null : reader.GetFieldValue<DateTimeOffset>(column);
}

/// <summary>A principal under its present name, and where it is a member, with which role, oldest membership first.</summary>
internal sealed record Standing(Principal Principal, IReadOnlyList<OrganizationInfo> Places);
