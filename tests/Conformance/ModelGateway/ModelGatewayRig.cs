using Coordinator.Fakes;
using Coordinator.Ports;
using Coordinator.Ports.Models;

namespace Coordinator.Tests.Conformance.ModelGateway;

/// <summary>
/// A gateway with two providers: <c>acme</c> (OpenAI chat) and <c>claude</c> (Anthropic), both in need of a key; and an
/// upstream that answers as it is told.
/// </summary>
internal interface IModelGatewayRig : IAsyncDisposable
{
    IModelGateway Gateway { get; }

    OrganizationId NewOrganization();

    /// <summary>Gives an organization a key for a provider.</summary>
    Task SetKeyAsync(OrganizationId organization, string provider, string key);

    /// <summary>The upstream's next answer.</summary>
    void Enqueue(ModelAnswer answer);

    /// <summary>From now on nothing answers.</summary>
    Task StopUpstreamAsync();

    /// <summary>Completes when the upstream has no call open.</summary>
    Task NoneOpenAsync();
}
