namespace Coordinator.Tests.Chaos.Checks;

/// <summary>An upgrade that was to be played and was not proves nothing.</summary>
internal static class UpgradeCheck
{
    /// <summary>What is to be said against a run of these worlds, which began as an older release; null for nothing, and where there are none.</summary>
    public static Finding? Of(IReadOnlyCollection<Upgraded> worlds) =>
        worlds.Count > 0 && worlds.All(world => world.Hosts == 0) ? new(FindingKind.Broken, "all", $"no host was started as the present release: {Upgraded.InAll(worlds)}") : null;
}
