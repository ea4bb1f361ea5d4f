using System.Text;
using Coordinator.Sandbox.Storage;
using Xunit;

namespace Coordinator.Tests.Modules.Box.Storage;

public sealed class DiskSpoolTests : IDisposable
{
    private static readonly SpoolLimits Limits = new(MaxBytes: 10_000, MaxMemoryBytes: 1_000, SegmentBytes: 400);
    private readonly TempFolder folder = new();
    private int ids;

    public void Dispose() => folder.Dispose();

    [Fact]
    public void What_was_appended_is_there_after_a_restart()
    {
        using (var spool = Open()) Append(spool, 1, 20);

        using var again = Open();

        Assert.Equal(("spool-1", 0L, 20L), (again.Id, again.AckedN, again.LastN));
        Assert.Equal("event 7", Encoding.UTF8.GetString(again.Read(7)[..7]));
    }

    [Fact]
    public void A_torn_tail_is_cut_off_and_the_numbers_go_on_where_it_was()
    {
        using (var spool = Open()) Append(spool, 1, 3);
        var last = Segments()[^1];
        File.WriteAllBytes(last, File.ReadAllBytes(last)[..^5]);

        using (var spool = Open())
        {
            Assert.Equal(("spool-1", 2L), (spool.Id, spool.LastN));
            Append(spool, 3, 3);
        }

        using var again = Open();
        Assert.Equal(3, again.LastN);
        Assert.Equal("event 3", Encoding.UTF8.GetString(again.Read(3)[..7]));
    }

    [Fact]
    public void Damage_in_the_middle_begins_a_new_spool_under_a_new_id()
    {
        using (var spool = Open()) Append(spool, 1, 40);
        Assert.True(Segments().Length > 2);
        var first = Segments()[0];
        var bytes = File.ReadAllBytes(first);
        bytes[30] ^= 0xFF;
        File.WriteAllBytes(first, bytes);

        using var again = Open();

        Assert.Equal(("spool-2", 0L), (again.Id, again.LastN));
        Assert.Single(Directory.GetDirectories(folder.Path));
    }

    [Fact]
    public void A_lost_segment_begins_a_new_spool_under_a_new_id()
    {
        using (var spool = Open()) Append(spool, 1, 40);
        File.Delete(Segments()[1]);

        using var again = Open();

        Assert.Equal("spool-2", again.Id);
    }

    [Fact]
    public void What_is_acknowledged_gives_its_disk_back_and_the_numbers_are_kept()
    {
        using (var spool = Open())
        {
            Append(spool, 1, 40);
            spool.Trim(40);
            Assert.Equal(0, spool.Bytes);
        }

        Assert.Single(Segments());
        using var again = Open();
        Assert.Equal(("spool-1", 40L, 40L), (again.Id, again.AckedN, again.LastN));
    }

    [Fact]
    public void There_is_no_room_at_the_bound_and_room_again_after_an_acknowledgement()
    {
        using var spool = Open();
        var body = new byte[1_000];
        for (var n = 1; n <= 10; n++) spool.Append(n, body, durable: false);
        Assert.False(spool.HasRoom);

        spool.Trim(1);

        Assert.True(spool.HasRoom);
    }

    [Fact]
    public void A_renewed_spool_holds_what_was_kept_from_number_one()
    {
        using (var spool = Open())
        {
            Append(spool, 1, 10);
            spool.Trim(4);
            spool.Renew("spool-9", keepFrom: 8);
            Append(spool, 4, 4);
        }

        using var again = Open();
        Assert.Equal(("spool-9", 0L, 4L), (again.Id, again.AckedN, again.LastN));
        Assert.Equal("event 8", Encoding.UTF8.GetString(again.Read(1)[..7]));
        Assert.Single(Directory.GetDirectories(folder.Path));
    }

    [Fact]
    public void Sizes_are_those_of_what_is_kept()
    {
        using var spool = Open();
        Append(spool, 1, 5);
        spool.Trim(2);

        Assert.Equal(3, spool.Sizes().Count());
        Assert.Equal(spool.Bytes, spool.Sizes().Sum());
    }

    [Fact]
    public void Events_survive_in_memory_when_the_disk_takes_no_more()
    {
        using var spool = Open();
        Append(spool, 1, 2);
        // The segment is full, and where the next one would be made there is no folder any more.
        Directory.Delete(Path.Combine(folder.Path, "spool-1"), recursive: true);
        Append(spool, 3, 60);

        Assert.Equal("event 60", Encoding.UTF8.GetString(spool.Read(60)[..8]));
        Assert.False(spool.HasRoom);
        spool.Trim(60);
        Assert.True(spool.HasRoom);
    }

    [Fact]
    public void What_a_new_spool_takes_over_is_durable_before_it_is_the_one_that_counts()
    {
        var files = new WatchedFiles();
        using var spool = DiskSpool.Open(files, folder.Path, Limits, () => "old");
        Append(spool, 1, 30);
        spool.Renew("new", 5);
        Assert.Empty(files.UnflushedWhenReplaced);
    }

    [Fact]
    public void A_file_that_is_full_is_durable_so_that_a_power_loss_leaves_no_hole_before_what_is()
    {
        var files = new WatchedFiles();
        using var spool = DiskSpool.Open(files, folder.Path, Limits, () => "one");
        Append(spool, 1, 30);
        Assert.True(Directory.GetFiles(Path.Combine(folder.Path, "one")).Length > 2);
        Assert.Empty(files.Unflushed); // the last event was to be durable, and with it all before it
    }

    [Fact]
    public void A_new_spool_that_the_disk_does_not_take_ends_its_program_and_leaves_the_old_one()
    {
        var files = new WatchedFiles();
        using (var spool = DiskSpool.Open(files, folder.Path, Limits, () => "old"))
        {
            Append(spool, 1, 3);
            files.IsFull = true;
            Assert.Throws<SpoolNotRenewedException>(() => spool.Renew("new", 2));
        }

        using var again = Open();
        Assert.Equal(("old", 0L, 3L), (again.Id, again.AckedN, again.LastN));
    }

    [Fact]
    public void A_new_spool_that_has_room_for_its_name_and_not_for_its_events_leaves_the_old_one_too()
    {
        var files = new WatchedFiles();
        using (var spool = DiskSpool.Open(files, folder.Path, Limits, () => "old"))
        {
            Append(spool, 1, 3);
            files.IsFullForEvents = true;
            Assert.Throws<SpoolNotRenewedException>(() => spool.Renew("new", 2));
        }

        using var again = Open();
        Assert.Equal(("old", 0L, 3L), (again.Id, again.AckedN, again.LastN));
        Assert.Equal("event 3", Encoding.UTF8.GetString(again.Read(3)[..7]));
    }

    [Fact]
    public void A_program_that_begins_on_a_full_disk_is_told_that_no_spool_can_be_made()
    {
        var files = new WatchedFiles { IsFull = true };
        Assert.Throws<SpoolNotRenewedException>(() => DiskSpool.Open(files, folder.Path, Limits, () => "first"));

        using var later = Open();
        Assert.Equal(0L, later.LastN);
    }

    private DiskSpool Open() => DiskSpool.Open(DiskFiles.Instance, folder.Path, Limits, () => $"spool-{++ids}");

    private string[] Segments() => Directory.GetFiles(folder.Path, "*.seg", SearchOption.AllDirectories).Order(StringComparer.Ordinal).ToArray();

    private static void Append(DiskSpool spool, long from, long to)
    {
        for (var n = from; n <= to; n++) spool.Append(n, Encoding.UTF8.GetBytes($"event {n} ..................."), durable: n % 2 == 0);
    }
}
