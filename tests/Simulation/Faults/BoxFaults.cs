using Coordinator.Tests.Simulation.Box;
using Coordinator.Tests.Simulation.World;

namespace Coordinator.Tests.Simulation.Faults;

/// <summary>Plays what goes wrong at boxes and at the agents in them: at one that runs, if any does.</summary>
internal sealed class BoxFaults(SimWorld world)
{
    public void Play(Happening h)
    {
        var running = world.Provider.Running.ToArray();
        if (running.Length == 0) return;
        var box = running[h.A % running.Length];
        if (h.Kind < HappeningKind.AgentHangs) PlayBox(h, box);
        else PlayAgent(h, box);
    }

    public void Heal()
    {
        foreach (var box in world.Provider.Boxes)
        {
            box.CutOffUntil = default;
            box.FillDisk(false);
        }
    }

    private void PlayBox(Happening h, SimBox box)
    {
        var span = TimeSpan.FromMilliseconds(50L << (h.B % 14));
        switch (h.Kind)
        {
            case HappeningKind.BreakLink:
                box.Link?.Break();
                break;
            case HappeningKind.StallLink:
                if (box.Link is { } link) link.StalledUntil = world.Now + (span / 4);
                break;
            case HappeningKind.CutOffBox:
                box.CutOffUntil = world.Now + span;
                box.Link?.Break();
                break;
            case HappeningKind.RestartBoxProgram:
                box.Restart(losesPower: false);
                break;
            case HappeningKind.RestartWhenAccepted:
                box.Agent.IsToRestartWhenAccepted = true;
                break;
            case HappeningKind.BoxDies:
                box.Die("by itself");
                break;
            case HappeningKind.BoxDiskFull:
                // What is held in memory meanwhile does not survive the program, and is told as lost.
                world.Audit.LossIsKnown(box.Session);
                box.FillDisk(true);
                world.After(span, () => box.FillDisk(false));
                break;
            default:
                PlayDisk(h, box);
                break;
        }
    }

    private void PlayDisk(Happening h, SimBox box)
    {
        if (h.Kind != HappeningKind.KeepBoxDisk) world.Audit.LossIsKnown(box.Session);
        switch (h.Kind)
        {
            case HappeningKind.PowerOffBox:
                box.Restart(losesPower: true);
                break;
            case HappeningKind.LoseBoxDisk:
                box.LoseDisk();
                break;
            case HappeningKind.DamageBoxSpool:
                box.DamageDisk();
                break;
            case HappeningKind.KeepBoxDisk:
                box.KeepDisk();
                break;
            case HappeningKind.RestoreBoxDisk:
                box.RestoreDisk();
                break;
        }
    }

    private static void PlayAgent(Happening h, SimBox box)
    {
        switch (h.Kind)
        {
            case HappeningKind.AgentHangs:
                box.Agent.IsToHang = true;
                break;
            case HappeningKind.AgentIgnoresCancel:
                box.Agent.IsToIgnoreCancel = true;
                break;
            case HappeningKind.AgentFails:
                box.Agent.IsToFail = true;
                break;
            case HappeningKind.BootFails:
                box.Agent.IsBootToFail = true;
                break;
        }
    }
}
