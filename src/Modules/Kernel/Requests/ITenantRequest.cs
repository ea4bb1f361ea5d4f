using Coordinator.Ports;
using MediatR;

namespace Coordinator.Modules.Kernel.Requests;

/// <summary>What acts on behalf of a tenant.</summary>
public interface ITenantBound
{
    TenantContext Tenant { get; }
}

/// <summary>
/// A use case on behalf of a tenant. The pipeline's behaviours (tracing, role, validation, failures of ports) apply to
/// every request of this shape.
/// </summary>
public interface ITenantRequest<T> : IRequest<Result<T>>, ITenantBound;

/// <summary>A request that not every member may make. Refused with <c>role_insufficient</c> (403) below <see cref="MinimumRole"/>.</summary>
public interface IRequireRole : ITenantBound
{
    Role MinimumRole { get; }
}
