using Coordinator.Modules.Kernel.Requests;
using Coordinator.Ports;
using Coordinator.Ports.Compute;

namespace Coordinator.Modules.Kernel.Contracts;

/// <summary>
/// Asks whether a model (<c>provider/model</c>) can be used by a tenant now, and how an agent addresses it. No call is
/// made to it. Problems: <c>model_required</c> when it is null or empty, <c>model_invalid</c>, <c>model_provider_unknown</c>, <c>model_key_missing</c> (all 422; the
/// detail of the last names the secret to set).
/// </summary>
public sealed record ValidateModel(TenantContext Tenant, string? Model) : ITenantRequest<AgentModel>;

/// <summary>The same question for an organization without a caller, as a box's start asks it.</summary>
public interface IModelAddressBook
{
    /// <summary>How an agent addresses a model. Problems as for <see cref="ValidateModel"/>.</summary>
    ValueTask<Result<AgentModel>> FindAsync(OrganizationId organization, string model, CancellationToken cancellationToken);
}
