namespace Coordinator.Ports;

/// <summary>Who acts: a person or an API key. <see cref="Id"/> is the text of the user's or key's id.</summary>
public sealed record Principal(PrincipalKind Kind, string Id, string DisplayName)
{
    /// <summary>What an idempotency key is scoped by.</summary>
    public string Scope => $"{Kind}:{Id}";
}

/// <summary>What kind of actor a principal is.</summary>
public enum PrincipalKind
{
    /// <summary>A person who signed in.</summary>
    User,
    /// <summary>A program with a key; its maker answers for it.</summary>
    ApiKey,
    /// <summary>Coordinator itself: a deadline, a sweep.</summary>
    System,
}

/// <summary>What a principal may do in an organization; ordered, each includes those before it.</summary>
public enum Role
{
    /// <summary>Sees sessions, their events and the run history.</summary>
    Viewer,
    /// <summary>Makes sessions, prompts them, answers their agents, and sees which secrets there are.</summary>
    Member,
    /// <summary>Sets and deletes secrets, too, and everybody's API keys.</summary>
    Admin,
    /// <summary>Makes other organizations, too.</summary>
    Owner,
}

/// <summary>
/// For which organization, as whom and with which role a call acts. Made by the one resolver in the tenant directory
/// and handed to every handler; nothing else builds one.
/// </summary>
public sealed record TenantContext(OrganizationId Organization, Principal Principal, Role Role);
