using System.Collections.Frozen;
using Coordinator.Ports;
using Microsoft.Extensions.Options;

namespace Coordinator.Modules.Sandboxes.Egress;

/// <summary>The egress policy of each organization, from configuration.</summary>
internal sealed class EgressRules
{
    private readonly EgressPolicy common;
    private readonly FrozenDictionary<string, EgressPolicy> own;

    public EgressRules(IOptions<EgressOptions> options)
    {
        var exceptions = AddressExceptions.Parse(options.Value.Exceptions);
        List<string> hosts = [.. options.Value.WithoutDefaults ? [] : EgressDefaults.Hosts, .. options.Value.AllowedHosts];
        common = new(hosts, exceptions);
        own = options.Value.Organizations.ToFrozenDictionary(entry => entry.Key, entry => new EgressPolicy([.. hosts, .. entry.Value], exceptions), StringComparer.Ordinal);
    }

    public EgressPolicy For(OrganizationId organization) => own.GetValueOrDefault(organization.ToString(), common);
}
