using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Coordinator.Tests.WalkingSkeleton.World;
using Xunit;

namespace Coordinator.Tests.WalkingSkeleton;

/// <summary>A session says what has changed in its repository since the session before it, and nothing else.</summary>
public sealed class EnvironmentTests
{
    private const string Widgets = "https://git.example/acme/widgets";

    private static readonly DetectedEnvironment Npm = new("npm", ["npm"], 12, new("npm install", null, "npm test", null), [new("TypeScript", 9)], [new("node", "22")], [], ["API_URL"], false, false, "c0ffee");

    [Fact]
    public async Task The_first_session_of_a_repository_tells_its_whole_environment()
    {
        await using var world = await Skeleton.StartAsync();
        world.Environment = Npm;

        var first = await world.BootInAsync(Widgets);

        Assert.Contains("packageManager", Changes(Assert.Single(first.Seen, IsChange)));
    }

    [Fact]
    public async Task The_next_session_over_an_equal_environment_says_nothing_of_it()
    {
        await using var world = await Skeleton.StartAsync();
        world.Environment = Npm;
        await world.BootInAsync(Widgets);
        world.Environment = Npm with { Commit = "another" };

        Assert.DoesNotContain((await world.BootInAsync(Widgets)).Seen, IsChange);
        Assert.DoesNotContain((await world.BootInAsync(Widgets)).Seen, IsChange);
    }

    [Fact]
    public async Task The_next_session_over_a_changed_environment_names_what_changed()
    {
        await using var world = await Skeleton.StartAsync();
        world.Environment = Npm;
        await world.BootInAsync(Widgets);
        world.Environment = Npm with { PackageManager = "pnpm", FileCount = 13 };

        var second = await world.BootInAsync(Widgets);

        Assert.Equal(["packageManager", "fileCount"], Changes(Assert.Single(second.Seen, IsChange)));
    }

    [Fact]
    public async Task A_session_of_another_repository_or_another_organization_is_no_session_before_it()
    {
        await using var world = await Skeleton.StartAsync();
        world.Environment = Npm;
        await world.BootInAsync(Widgets);

        Assert.Single((await world.BootInAsync(Widgets + "-2")).Seen, IsChange);
        Assert.Single((await world.BootInAsync(Widgets, OrganizationId.New(world.Time))).Seen, IsChange);
    }

    private static bool IsChange(SeenEvent happened) => happened.Type == "environment.changed";

    private static IEnumerable<string> Changes(SeenEvent change) => change.Data.GetProperty("changes").EnumerateArray().Select(name => name.GetString()!);
}
