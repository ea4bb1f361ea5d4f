using Coordinator.Ports;
using MediatR;

namespace Coordinator.Modules.Kernel.Requests;

/// <summary>
/// A use case on behalf of a tenant. The pipeline's behaviours (validation, tracing, failures of ports) apply to every
/// request of this shape.
/// </summary>
public interface ITenantRequest<T> : IRequest<Result<T>>
{
    TenantContext Tenant { get; }
}
