using System.Runtime.Versioning;
using System.Text;
using Coordinator.Adapters.LocalSandbox;
using Coordinator.Adapters.LocalSandbox.Layout;
using Coordinator.Adapters.LocalSandbox.Linux;
using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Coordinator.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Coordinator.Tests.Conformance.SandboxProvider;

/// <summary>What a full disk or a bad block left of one box's record, or of data on its way out, is no other box's trouble.</summary>
[SupportedOSPlatform("linux")]
public sealed class LocalDamageTests
{
    private static readonly string[] Damages = ["", "null", "\0\0\0\0\0\0\0\0", """{ "sandbox": "box_""", """{ "labels": null }"""];

    [Theory]
    [InlineData("WherePossible")]
    [InlineData("Off")]
    public async Task Boxes_with_damaged_records_are_told_and_ended_and_keep_no_other_from_being_made(string cgroups)
    {
        await using var rig = new LocalRig(("Cgroups", cgroups));
        var runs = Specs.New();
        var handle = await rig.Provider.MakeAsync(runs);
        var record = rig.RecordOf(runs);
        Damage(rig, runs, (await File.ReadAllTextAsync(FileOf(rig, runs)))[..100]);
        var ended = Damages.Select(text => DamagedBox(rig, text)).ToList();

        rig.Start();
        var dependency = rig.Services.GetRequiredService<IHostDependency>();
        await dependency.StartAsync(CancellationToken.None);
        await rig.Services.GetServices<IHostedService>().OfType<BoxWatch>().Single().LookAsync(CancellationToken.None);
        Assert.Null(await dependency.CheckAsync(CancellationToken.None));
        Assert.Contains("6 boxes have a record that cannot be read", dependency.Description, StringComparison.Ordinal);
        var other = Specs.New();
        await rig.Provider.MakeAsync(other);

        var listed = await ListAsync(rig, (SandboxLabels.Deployment, "tests"));
        Assert.Equal(ended.Append(runs).Append(other).Select(spec => spec.Sandbox.ToString()).Order(), listed.Select(one => one.Labels[SandboxLabels.Sandbox]).Order());
        Assert.Equal(new[] { runs, other }.Select(spec => spec.Sandbox.ToString()).Order(), listed.Where(one => one.Status is SandboxStatus.Running).Select(one => one.Labels[SandboxLabels.Sandbox]).Order());
        Assert.Equal([other.Sandbox.ToString()], (await ListAsync(rig, (SandboxLabels.Session, other.Session.ToString()))).Select(one => one.Labels[SandboxLabels.Sandbox]));

        Assert.Equal(handle, await rig.Provider.MakeAsync(runs));
        Assert.Equal(1, await rig.StartsOfAsync(runs));
        await rig.Provider.DestroyAsync(handle, keepData: true, CancellationToken.None);
        Assert.Equal((false, false), (ProcessTable.IsAlive(record.Main), ProcessTable.IsAlive(record.Launcher)));
        Assert.Equal(new(SandboxStatus.Stopped, "record_damaged"), await rig.Provider.InspectAsync(handle, CancellationToken.None));
        await rig.Provider.DestroyAsync(handle, keepData: false, CancellationToken.None);
        Assert.Equal(SandboxStatus.NotFound, (await rig.Provider.InspectAsync(handle, CancellationToken.None)).Status);
        Assert.False(Directory.Exists(rig.Paths.Of(runs.Session)));
    }

    [Fact]
    public async Task The_next_box_of_a_session_whose_boxs_record_is_damaged_has_its_workspace_alone()
    {
        await using var rig = new LocalRig();
        var spec = Specs.New();
        await rig.Provider.MakeAsync(spec);
        var record = rig.RecordOf(spec);
        await rig.WriteAsync(spec, "work", "kept");
        Damage(rig, spec, "");
        var next = Specs.NextOf(spec);

        await rig.Provider.MakeAsync(next);

        Assert.False(ProcessTable.IsAlive(record.Main));
        Assert.Equal("kept", await rig.ReadAsync(next, "work"));
        Assert.Equal([next.Sandbox.ToString()], (await ListAsync(rig, (SandboxLabels.Session, spec.Session.ToString()))).Select(one => one.Labels[SandboxLabels.Sandbox]));

        // A late word to the older box takes nothing from a newer one, though how new that is can no longer be read.
        Damage(rig, next, "");
        File.Delete(rig.Paths.Of(new BoxAddress(next.Session, next.Sandbox)).Config);
        BoxDirectories.MakeBox(rig.Machine(), record.Address);
        rig.Records.Write(record);
        await rig.Provider.DestroyAsync(new("local", record.Address.ToString(), rig.Machine().Node), keepData: false, CancellationToken.None);
        Assert.Equal("kept", await rig.ReadAsync(next, "work"));
    }

    [Fact]
    public async Task A_host_starts_though_what_boxes_left_cannot_be_deleted()
    {
        await using var rig = new LocalRig();
        Block(rig.Paths.Trash);
        await rig.Services.GetRequiredService<IHostDependency>().StartAsync(CancellationToken.None);
    }

    [Fact]
    public async Task What_boxes_left_is_deleted_beside_everything_else_and_tried_again_where_it_failed()
    {
        await using var rig = new LocalRig();
        var trash = rig.Paths.Trash;
        var time = new ManualTime();
        Block(trash);
        using (var again = new DataRemoval(rig.Services.GetRequiredService<LocalMachineSetup>(), rig.Services.GetRequiredService<SystemCommand>(), time, NullLogger<DataRemoval>.Instance))
        {
            await again.StartAsync(CancellationToken.None);
            await time.WaitForTimersAsync(1);
            File.Delete(trash);
            Directory.CreateDirectory(Path.Combine(trash, "del_left", "deep"));
            time.Advance(TimeSpan.FromMinutes(1));
            await LocalRig.WaitUntilAsync("the next round", () => !Directory.EnumerateFileSystemEntries(trash).Any());
            await again.StopAsync(CancellationToken.None);
        }

        var removal = rig.Services.GetRequiredService<DataRemoval>();
        Directory.CreateDirectory(Path.Combine(trash, "del_earlier"));
        await removal.StartAsync(CancellationToken.None);
        await LocalRig.WaitUntilAsync("the first round", () => !Directory.EnumerateFileSystemEntries(trash).Any());
        var spec = Specs.New();
        await rig.Provider.DestroyAsync(await rig.Provider.MakeAsync(spec), keepData: false, CancellationToken.None);
        Assert.False(Directory.Exists(rig.Paths.Of(spec.Session)));
        await LocalRig.WaitUntilAsync("the box's data to go", () => !Directory.EnumerateFileSystemEntries(trash).Any());
        await removal.StopAsync(CancellationToken.None);
    }

    [Fact]
    public void A_file_that_is_whole_has_its_name_for_good_too()
    {
        var folder = Directory.CreateTempSubdirectory("coordinator-test-").FullName;
        var (file, seen) = (Path.Combine(folder, "record.json"), string.Empty);
        AtomicFile.Write(file, "new"u8, AtomicFile.OwnerOnly, null, flushed => seen = $"{flushed} {File.ReadAllText(file)}");
        Assert.Equal($"{folder} new", seen);
        AtomicFile.Write(file, "newer"u8, AtomicFile.OwnerOnly);
        Assert.Equal(["record.json"], Directory.EnumerateFileSystemEntries(folder).Select(Path.GetFileName));
        Directory.Delete(folder, recursive: true);
    }

    /// <summary>A file where a folder should be: nobody can look into it, root neither.</summary>
    private static void Block(string folder)
    {
        Directory.Delete(folder);
        File.WriteAllText(folder, string.Empty);
    }

    private static string FileOf(LocalRig rig, SandboxSpec spec) => rig.Paths.Of(new BoxAddress(spec.Session, spec.Sandbox)).Record;

    private static void Damage(LocalRig rig, SandboxSpec spec, string text) => File.WriteAllBytes(FileOf(rig, spec), Encoding.UTF8.GetBytes(text));

    private static SandboxSpec DamagedBox(LocalRig rig, string text)
    {
        var spec = Specs.New();
        BoxDirectories.MakeBox(rig.Machine(), new(spec.Session, spec.Sandbox));
        Damage(rig, spec, text);
        return spec;
    }

    private static async Task<List<SandboxListing>> ListAsync(LocalRig rig, (string Name, string Value) label)
    {
        List<SandboxListing> listed = [];
        await foreach (var listing in rig.Provider.ListAsync(new Dictionary<string, string> { [label.Name] = label.Value }, CancellationToken.None)) listed.Add(listing);
        return listed;
    }
}
