using Coordinator.Fakes.Compute;
using Coordinator.Tests.Faults.Real;
using Xunit;

namespace Coordinator.Tests.Faults.Catalogs;

public sealed partial class AgentRuntimeFaults
{
    public override string WhyNotOnReal => "An agent is a process beside the program that drives it; its contract crashes the real ones and refuses them their model.";
}

public sealed partial class ArtifactStoreFaults
{
    private const string NoNetwork = "The file system is not reached over a network, and answers in its own words or not at all.";

    public override IReadOnlyList<RealPlay> OnReal =>
    [
        new("It has no room: the turn goes on with what an event holds", "a full disk")
        {
            Show = RealPlay.By("", "", outside =>
            {
                MakeLargeOutput(outside.World);
                outside.Disk!.Fill();
            }).Show,
            Mend = outside => outside.World.Script = DirectiveScript.Play,
            Holds = HoldsAsync,
            IsOfNetwork = false,
            OnSmallDisk = true,
        },
    ];

    public override IReadOnlyDictionary<GeneralFault, string> NotOnReal { get; } = new Dictionary<GeneralFault, string>
    {
        [GeneralFault.Unavailable] = "A directory that cannot be used is played by the contract of the adapter.",
        [GeneralFault.Slow] = NoNetwork,
        [GeneralFault.LostAnswer] = NoNetwork,
        [GeneralFault.Duplicate] = NoNetwork,
        [GeneralFault.CorruptAnswer] = NoNetwork,
        [GeneralFault.StaleCredential] = "A file system asks for no credential, and refuses nothing to who runs as root.",
    };

    /// <summary>The tool's output is in its event, cut; on the disk is nothing of it, whole or half.</summary>
    private static ValueTask HoldsAsync(RealOutside outside)
    {
        var tool = Assert.Single(outside.World.Watch.Seen, happened => happened.Type == "tool.completed");
        Assert.True(tool.Data.GetProperty("truncated").GetBoolean());
        Assert.Null(tool.Text("artifact"));
        if (Directory.Exists(outside.ArtifactFolder)) Assert.Empty(Directory.EnumerateFiles(outside.ArtifactFolder, "*", SearchOption.AllDirectories));
        return ValueTask.CompletedTask;
    }
}
