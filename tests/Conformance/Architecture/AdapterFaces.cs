using Mono.Cecil;

namespace Coordinator.Tests.Conformance.Architecture;

/// <summary>What else of an adapter may be public, and why.</summary>
internal static class AdapterFaces
{
    /// <summary>Used where programs are put together: each with its reason.</summary>
    public static readonly IReadOnlySet<string> Allowed = new HashSet<string>(StringComparer.Ordinal)
    {
        // The host binds the socket that boxes dial before its services exist.
        "Coordinator.Adapters.LocalSandbox.HostSocket",

        // An operator's verbs work on the database as a whole, while no module runs.
        "Coordinator.Adapters.Postgres.Backup.DatabaseBackup",

        // The program in the box has no container: it makes its agent's runtime by hand.
        "Coordinator.Adapters.Acp.AcpAgentProfile",
        "Coordinator.Adapters.OpenCode.Launch.OpenCodeEnvironment",
        "Coordinator.Adapters.OpenCode.Launch.OpenCodeHome",
        "Coordinator.Adapters.OpenCode.Launch.OpenCodeModelName",
    };

    /// <summary>Options, and what only they are made of.</summary>
    public static bool IsOptions(TypeDefinition type) =>
        type.Name.EndsWith("Options", StringComparison.Ordinal) || type.Module.Types.Where(other => other.Name.EndsWith("Options", StringComparison.Ordinal))
            .SelectMany(options => options.Properties)
            .Any(property => property.PropertyType.FullName == type.FullName || property.PropertyType is GenericInstanceType generic && generic.GenericArguments.Any(argument => argument.FullName == type.FullName));
}
