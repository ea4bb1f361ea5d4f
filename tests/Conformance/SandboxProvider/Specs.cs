using Coordinator.Ports;
using Coordinator.Ports.Compute;

namespace Coordinator.Tests.Conformance.SandboxProvider;

/// <summary>Specs of boxes, with the labels that callers always give.</summary>
internal static class Specs
{
    public const string Agent = "agent";

    public static SandboxSpec New(string deployment = "tests") =>
        Of(OrganizationId.New(TimeProvider.System), SessionId.New(TimeProvider.System), 1, deployment);

    /// <summary>The box after this one of the same session.</summary>
    public static SandboxSpec NextOf(SandboxSpec spec) => Of(spec.Organization, spec.Session, spec.Generation + 1, spec.Labels[SandboxLabels.Deployment]);

    /// <summary>Places a box and makes it there, as whoever uses the port does.</summary>
    public static async ValueTask<SandboxHandle> MakeAsync(this ISandboxProvider provider, SandboxSpec spec) =>
        await provider.CreateAsync(spec with { Node = spec.Node ?? await provider.PlaceAsync(spec, CancellationToken.None) }, CancellationToken.None);

    private static SandboxSpec Of(OrganizationId organization, SessionId session, int generation, string deployment)
    {
        var sandbox = SandboxId.New(TimeProvider.System);
        Dictionary<string, string> labels = new()
        {
            [SandboxLabels.Organization] = organization.ToString(),
            [SandboxLabels.Session] = session.ToString(),
            [SandboxLabels.Sandbox] = sandbox.ToString(),
            [SandboxLabels.Generation] = generation.ToString(System.Globalization.CultureInfo.InvariantCulture),
            [SandboxLabels.Deployment] = deployment,
        };
        return new(sandbox, generation, organization, session, Agent, SandboxResources.Default, labels, $"sb_{organization}.{session}.{sandbox}.{generation}.canary");
    }
}
