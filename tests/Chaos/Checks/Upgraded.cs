using System.Globalization;

namespace Coordinator.Tests.Chaos.Checks;

/// <summary>How much of a world that began as an older release was started again as the present one.</summary>
internal sealed record Upgraded(int Hosts, int OfHosts, int SandboxHosts, int OfSandboxHosts)
{
    /// <summary>The same of several worlds, as words.</summary>
    public static string InAll(IReadOnlyCollection<Upgraded> worlds)
    {
        var sandboxHosts = worlds.Sum(world => world.OfSandboxHosts) is > 0 and var of ? string.Create(CultureInfo.InvariantCulture, $" and {worlds.Sum(world => world.SandboxHosts)} of {of} sandbox hosts") : string.Empty;
        return string.Create(CultureInfo.InvariantCulture, $"{worlds.Sum(world => world.Hosts)} of {worlds.Sum(world => world.OfHosts)} hosts{sandboxHosts} in {worlds.Count} worlds, {worlds.Count(world => world.Hosts == world.OfHosts)} of them to the last host");
    }
}
