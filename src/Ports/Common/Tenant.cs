namespace Coordinator.Ports;

/// <summary>Who acts: a person or an API key. <see cref="Id"/> is the text of the user's or key's id.</summary>
public sealed record Principal(PrincipalKind Kind, string Id, string DisplayName)
{
    /// <summary>What an idempotency key is scoped by.</summary>
    public string Scope => $"{Kind}:{Id}";
}

public enum PrincipalKind
{
    User,
    ApiKey,
    System,
}

/// <summary>What a principal may do in an organization; ordered, each includes those before it.</summary>
public enum Role
{
    Viewer,
    Member,
    Admin,
    Owner,
}

/// <summary>
/// For which organization, as whom and with which role a call acts. Made by the one resolver in the tenant directory
/// and handed to every handler; nothing else builds one.
/// </summary>
public sealed record TenantContext(OrganizationId Organization, Principal Principal, Role Role);
