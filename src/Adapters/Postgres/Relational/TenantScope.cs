using Coordinator.Ports;

namespace Coordinator.Adapters.Postgres;

/// <summary>
/// On whose behalf a transaction of the shared pool works: one organization, whose rows are all that the tenants' role, which
/// the pool works under, can see; or the system, which finds out who calls and for which organization, under the host's role.
/// </summary>
internal readonly record struct TenantScope
{
    private readonly string? organization;

    private TenantScope(string? organization) => this.organization = organization;

    public static TenantScope System { get; }

    public static TenantScope Of(OrganizationId organization) => new(organization.Value.ToString());

    /// <summary>Says so for the rest of the transaction, and no longer.</summary>
    public Statement Statement => organization is { } named
        ? new("SELECT set_config('coordinator.organization', $1, true)", named)
        : new($"SELECT set_config('role', current_setting('{DatabaseRoles.HostSetting}'), true)");

    /// <summary>The same for EF Core, which names parameters itself.</summary>
    public FormattableString Formattable => organization is { } named
        ? $"SELECT set_config('coordinator.organization', {named}, true)"
        : (FormattableString)$"SELECT set_config('role', current_setting({DatabaseRoles.HostSetting}), true)";
}
