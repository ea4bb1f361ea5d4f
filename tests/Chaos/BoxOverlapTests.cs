using Coordinator.Tests.Chaos.Checks;
using Coordinator.Tests.Chaos.World;
using Xunit;

namespace Coordinator.Tests.Chaos;

/// <summary>When a session has two boxes at once.</summary>
public sealed class BoxOverlapTests
{
    private readonly BoxOverlap overlap = new();

    [Fact]
    public void Two_boxes_of_one_session_that_live_beside_each_other_are_found_once()
    {
        Assert.Empty(overlap.Look([new("ses_a", "box_1"), new("ses_a", "box_2")]));

        var found = Assert.Single(overlap.Look([new("ses_a", "box_1"), new("ses_a", "box_2")]));

        Assert.Equal((FindingKind.OrphanBox, "ses_a"), (found.Kind, found.Session));
        Assert.Empty(overlap.Look([new("ses_a", "box_1"), new("ses_a", "box_2")]));
    }

    [Fact]
    public void A_box_that_follows_another_several_processes_of_one_box_and_boxes_of_two_sessions_are_as_they_should_be()
    {
        foreach (var box in new[] { "box_1", "box_1", "box_2", "box_2", "box_3" })
            Assert.Empty(overlap.Look([new("ses_a", box), new("ses_a", box), new("ses_b", "box_4")]));
    }

    [Fact]
    public void A_look_that_fell_between_an_end_and_a_beginning_finds_nothing()
    {
        Assert.Empty(overlap.Look([new("ses_a", "box_1"), new("ses_a", "box_2")]));
        Assert.Empty(overlap.Look([new("ses_a", "box_2")]));
        Assert.Empty(overlap.Look([new("ses_a", "box_2"), new("ses_a", "box_3")]));
    }

    [Fact]
    public void Whose_a_box_is_stands_in_its_mounts()
    {
        const string Mounts = "401 269 254:0 / /usr ro - ext4 /dev/vda rw\n403 269 254:0 /tmp/h/sandboxes/sessions/ses_1sa2/boxes/box_7g46/config/box.json /run/coordinator/box.json ro - ext4 /dev/vda rw\n";

        Assert.Equal(new LiveBox("ses_1sa2", "box_7g46"), BoxWatch.BoxOf(Mounts));
        Assert.Null(BoxWatch.BoxOf("401 269 254:0 / /usr ro - ext4 /dev/vda rw\n"));
    }
}
