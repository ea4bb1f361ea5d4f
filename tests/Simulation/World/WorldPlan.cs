using Coordinator.Modules.Sessions;
using Coordinator.Tests.Simulation.Faults;

namespace Coordinator.Tests.Simulation.World;

/// <summary>Everything about a run that its seed decides beforehand: how large the world is, how long things may take, and what happens before which step.</summary>
internal sealed record WorldPlan(long Seed, int Hosts, int Sessions, int People, SessionLimits Limits, int SnapshotEvery, int OwnerPercent, TimeSpan Latency, IReadOnlyList<Happening> Happenings)
{
    private static readonly HappeningKind[] Always = [HappeningKind.Prompt, HappeningKind.Prompt, HappeningKind.Prompt, HappeningKind.Answer];

    private static readonly HappeningKind[] Sometimes = [.. Enum.GetValues<HappeningKind>().Where(kind => kind is not (HappeningKind.Prompt or HappeningKind.Answer))];

    /// <summary>Rare, because little can happen after one.</summary>
    private static readonly HappeningKind[] Rare = [HappeningKind.Archive, HappeningKind.RestoreDatabase, HappeningKind.LoseBoxDisk, HappeningKind.BoxDies];

    public static WorldPlan Of(long seed)
    {
        var dice = new Dice(seed, Streams.Plan);
        var kinds = Kinds(dice);
        var happenings = new List<Happening>();
        var step = 0;
        var count = 8 + dice.Below(56);
        var gap = dice.Pick([6, 15, 40, 90]);
        for (var i = 0; i < count; i++)
        {
            happenings.Add(new(step, dice.Pick(kinds), dice.Below(1 << 20), dice.Below(1 << 20)));
            step += dice.Percent(25) ? dice.Below(3) : dice.Below(2 * gap);
        }

        var size = new Dice(seed, Streams.Plan, 2);
        return new(seed, 1 + size.Below(3), 1 + size.Below(3), 1 + size.Below(2), LimitsOf(new Dice(seed, Streams.Plan, 3)), size.Pick([3, 20, 500]), size.Pick([50, 90, 99]), TimeSpan.FromMilliseconds(size.Pick([5, 50, 800])), happenings);
    }

    /// <summary>Every run plays a few kinds of fault, not a little of each: what takes several of one kind is found so.</summary>
    private static List<HappeningKind> Kinds(Dice dice)
    {
        List<HappeningKind> kinds = [.. Always];
        var chance = dice.Pick([0, 15, 35, 60]);
        foreach (var kind in Sometimes)
        {
            if (!dice.Percent(Rare.Contains(kind) ? chance / 3 : chance)) continue;
            kinds.Add(kind);
            if (!Rare.Contains(kind) && dice.Percent(30)) kinds.Add(kind);
        }

        return kinds;
    }

    private static SessionLimits LimitsOf(Dice dice) => dice.Percent(25) ? SessionLimits.Default : SessionLimits.Default with
    {
        QueuedMessages = dice.Pick([3, 100]),
        SandboxIdle = TimeSpan.FromMinutes(dice.Pick([1, 4])),
        SandboxGiveUp = TimeSpan.FromMinutes(dice.Pick([2, 10])),
        MessageTurn = TimeSpan.FromMinutes(dice.Pick([3, 20])),
        PermissionAnswer = TimeSpan.FromSeconds(dice.Pick([20, 120])),
        SandboxBoot = TimeSpan.FromMinutes(dice.Pick([2, 5])),
        SandboxStart = TimeSpan.FromMinutes(dice.Pick([8, 15])),
    };
}

/// <summary>The streams of chance, so that no two parts of a world share one.</summary>
internal static class Streams
{
    public const int Plan = 1;
    public const int Host = 2;
    public const int Database = 3;
    public const int Provider = 4;
    public const int Box = 5;
    public const int Client = 6;
    public const int Network = 7;
    public const int Sweep = 8;
}
