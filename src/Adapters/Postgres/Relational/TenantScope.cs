using Coordinator.Ports;

namespace Coordinator.Adapters.Postgres;

/// <summary>
/// On whose behalf a transaction works, in the settings that row-level security reads: one organization, whose rows are
/// all it can see, or the system, which finds out who calls and for which organization.
/// </summary>
internal readonly record struct TenantScope(string Organization, string Name)
{
    /// <summary>Sets both for the rest of the transaction; $1 is <see cref="Organization"/>, $2 is <see cref="Name"/>.</summary>
    public const string Sql = "SELECT set_config('coordinator.organization', $1, true), set_config('coordinator.scope', $2, true)";

    /// <summary>The same with its values, for EF Core, which names parameters itself.</summary>
    public FormattableString Statement => $"SELECT set_config('coordinator.organization', {Organization}, true), set_config('coordinator.scope', {Name}, true)";

    public static TenantScope System { get; } = new(string.Empty, "system");

    public static TenantScope Of(OrganizationId organization) => new(organization.Value.ToString(), string.Empty);
}
