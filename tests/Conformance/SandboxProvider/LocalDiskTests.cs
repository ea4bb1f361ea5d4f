using System.Runtime.Versioning;
using Coordinator.Adapters.LocalSandbox;
using Coordinator.Adapters.LocalSandbox.Layout;
using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Coordinator.Tests.Conformance.SandboxProvider;

/// <summary>A machine whose files fail says so as the port promises: never as an exception of the file system.</summary>
[SupportedOSPlatform("linux")]
public sealed class LocalDiskTests
{
    private static readonly Dictionary<string, string> Everything = [];

    [Fact]
    public async Task A_record_that_cannot_be_opened_is_a_failure_of_the_port_whoever_asks()
    {
        await using var rig = new LocalRig();
        var spec = Specs.New();
        using var broken = Unreadable.Make(rig, spec);
        var handle = new SandboxHandle("local", new BoxAddress(spec.Session, spec.Sandbox).ToString(), rig.Machine().Node);

        Assert.False((await FailureAsync(async () => await rig.Provider.InspectAsync(handle, CancellationToken.None))).EffectMayHaveHappened);
        Assert.True((await FailureAsync(async () => await rig.Provider.CreateAsync(spec, CancellationToken.None))).EffectMayHaveHappened);
        Assert.True((await FailureAsync(async () => await rig.Provider.DestroyAsync(handle, keepData: false, CancellationToken.None))).EffectMayHaveHappened);
    }

    [Fact]
    public async Task Boxes_that_can_be_told_are_listed_before_it_is_said_that_others_cannot()
    {
        await using var rig = new LocalRig();
        var specs = Enumerable.Range(0, 5).Select(_ => Specs.New()).ToList();
        foreach (var spec in specs) Record(rig, spec);
        using var broken = Unreadable.Make(rig, specs[2]);

        List<string> listed = [];
        await FailureAsync(async () =>
        {
            await foreach (var listing in rig.Provider.ListAsync(Everything, CancellationToken.None)) listed.Add(listing.Labels[SandboxLabels.Sandbox]);
        });

        Assert.Equal(specs.Where(spec => spec != specs[2]).Select(spec => spec.Sandbox.ToString()).Order(), listed.Order());
    }

    [Fact]
    public void A_disk_without_room_is_said_to_be_full() =>
        Assert.Equal(PortFailureKind.Full, DiskFailure.Of(new IOException("No space left on device", 28), "The box could not be made").Kind);

    [Fact]
    public async Task A_machine_without_the_room_that_a_box_needs_says_so_and_goes_on_with_what_it_has()
    {
        await using var rig = new LocalRig(("MinimumFreeDiskBytes", long.MaxValue.ToString(System.Globalization.CultureInfo.InvariantCulture)));
        var dependency = rig.Services.GetRequiredService<IHostDependency>();
        await dependency.StartAsync(CancellationToken.None);

        Assert.Contains("no box can be made: This machine's disk is full", dependency.Description, StringComparison.Ordinal);
        Assert.Null(await dependency.CheckAsync(CancellationToken.None));
        Assert.Equal(PortFailureKind.Full, (await Assert.ThrowsAsync<PortException>(async () => await rig.Provider.CreateAsync(Specs.New(), CancellationToken.None))).Kind);
    }

    private static async Task<PortException> FailureAsync(Func<Task> call)
    {
        var failure = await Assert.ThrowsAsync<PortException>(call);
        Assert.Equal(PortFailureKind.Unavailable, failure.Kind);
        return failure;
    }

    private static void Record(LocalRig rig, SandboxSpec spec)
    {
        BoxDirectories.MakeBox(rig.Machine(), new(spec.Session, spec.Sandbox));
        rig.Records.Write(new()
        {
            Sandbox = spec.Sandbox,
            Generation = spec.Generation,
            Organization = spec.Organization,
            Session = spec.Session,
            Labels = spec.Labels,
            CreatedAt = DateTimeOffset.UnixEpoch,
            MemoryBytes = spec.Resources.MemoryBytes,
            Isolated = false,
        });
    }

    /// <summary>A directory where the record should be: nobody can read it, root neither.</summary>
    private sealed class Unreadable : IDisposable
    {
        private readonly string record;

        private Unreadable(string record) => this.record = record;

        public static Unreadable Make(LocalRig rig, SandboxSpec spec)
        {
            Record(rig, spec);
            var record = rig.Paths.Of(new BoxAddress(spec.Session, spec.Sandbox)).Record;
            File.Delete(record);
            Directory.CreateDirectory(record);
            return new(record);
        }

        public void Dispose() => Directory.Delete(record);
    }
}
