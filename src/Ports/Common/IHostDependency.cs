namespace Coordinator.Ports;

/// <summary>
/// Something a host needs before it can serve, such as its database or the sandboxes of its machine. Every registered
/// one is started side by side when the host starts, those that come last behind the others; requests are refused with 503 until the required ones have started,
/// and <c>/health/ready</c> tells of each.
/// </summary>
public interface IHostDependency
{
    /// <summary>A short name for people, such as <c>database</c>.</summary>
    string Name { get; }

    /// <summary>What serves it, for the line that the host prints at start, such as <c>embedded PostgreSQL 18.4</c>.</summary>
    string Description { get; }

    /// <summary>False when the host can serve without it, with less.</summary>
    bool IsRequired { get; }

    /// <summary>True for what makes the host known to others, who then ask things of it: it is started once all that the host cannot do without has been.</summary>
    bool IsLast => false;

    /// <summary>
    /// Brings it up and returns when it can be used. A <see cref="PortException"/> of kind
    /// <see cref="PortFailureKind.Rejected"/> (a setting is wrong) ends the host when it is required; other failures are
    /// tried again with backoff.
    /// </summary>
    Task StartAsync(CancellationToken cancellationToken);

    /// <summary>Null when it works now; otherwise what is wrong and what to do, in one sentence. Answers within a second.</summary>
    ValueTask<string?> CheckAsync(CancellationToken cancellationToken);
}
