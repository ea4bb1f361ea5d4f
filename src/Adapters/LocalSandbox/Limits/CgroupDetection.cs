using Coordinator.Ports;

namespace Coordinator.Adapters.LocalSandbox.Limits;

/// <summary>
/// Finds out which control groups this process may make. The group of boxes lies beside the host's own, not in it: a
/// service manager that ends the host's group must not end the boxes.
/// </summary>
internal static class CgroupDetection
{
    private static readonly string[] Controllers = ["memory", "pids", "cpu"];

    /// <param name="mount">Where control groups are mounted: <c>/sys/fs/cgroup</c>.</param>
    /// <param name="name">The parent group to use.</param>
    public static IBoxCgroups Detect(string mount, string name) =>
        File.Exists(Path.Combine(mount, "cgroup.controllers")) ? DetectV2(mount, name) : DetectV1(mount, name);

    private static IBoxCgroups DetectV1(string mount, string name)
    {
        string? Usable(string hierarchy)
        {
            var root = Path.Combine(mount, hierarchy);
            var parent = Path.Combine(root, name);
            return Directory.Exists(root) && CgroupFiles.CanMake(parent) ? parent : null;
        }

        return Usable("memory") is { } memory && Usable("pids") is { } pids
            ? new CgroupsV1(memory, pids, Usable("cpu") ?? Usable("cpu,cpuacct"), Usable("unified"))
            : new NoCgroups();
    }

    private static IBoxCgroups DetectV2(string mount, string name)
    {
        var parent = Path.Combine(mount, name);
        if (!CgroupFiles.CanMake(parent)) return new NoCgroups();
        return HandsOn(mount) && HandsOn(parent) ? new CgroupsV2(parent) : new NoCgroups();
    }

    /// <summary>Lets a group's children have the controllers; false when memory or processes cannot be had.</summary>
    private static bool HandsOn(string group)
    {
        foreach (var controller in Controllers) TryHandOn(group, controller);
        var handed = File.ReadAllText(Path.Combine(group, "cgroup.subtree_control")).Split((char[])[' ', '\n'], StringSplitOptions.RemoveEmptyEntries);
        return handed.Contains("memory") && handed.Contains("pids");
    }

    private static void TryHandOn(string group, string controller)
    {
        try
        {
            CgroupFiles.Write(group, "cgroup.subtree_control", $"+{controller}");
        }
        catch (PortException)
        {
            // Not ours to give, or not compiled in; the caller looks at what was handed on.
        }
    }
}
