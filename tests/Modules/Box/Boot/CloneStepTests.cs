using Coordinator.Ports;
using Coordinator.Sandbox.Boot;
using Coordinator.Sandbox.Bridge;
using Coordinator.Sandbox.Storage;
using Coordinator.Tests.Modules.Box.Bridge;
using Xunit;

namespace Coordinator.Tests.Modules.Box.Boot;

/// <summary>Clones with a real git from a repository on disk.</summary>
public sealed class CloneStepTests : IAsyncLifetime
{
    private readonly TempFolder folder = new();
    private BoxState state = null!;
    private string repository = "";

    private string Workspace => folder["workspace"];

    public async Task InitializeAsync()
    {
        state = BoxState.TryOpen(folder["state"], "box_a", 1)!;
        repository = await TestRepository.CreateAsync(folder["origin"], ("readme.md", "hello"), ("large.bin", new string('x', 300_000)));
    }

    public Task DisposeAsync()
    {
        state.Dispose();
        folder.Dispose();
        return Task.CompletedTask;
    }

    [Fact]
    public async Task A_repository_is_cloned_without_its_history()
    {
        var cloned = await CloneAsync(new BoxRepository(repository, null));

        Assert.False(cloned.Value.Skipped);
        Assert.Equal("hello", await File.ReadAllTextAsync(Path.Combine(Workspace, "readme.md")));
        Assert.True(File.Exists(Path.Combine(Workspace, ".git", "shallow")) || Directory.Exists(Path.Combine(Workspace, ".git")));
    }

    [Fact]
    public async Task A_workspace_that_was_kept_is_not_cloned_again_and_its_changes_stay()
    {
        await CloneAsync(new BoxRepository(repository, null));
        await File.WriteAllTextAsync(Path.Combine(Workspace, "readme.md"), "forty minutes of work");

        var again = await CloneAsync(new BoxRepository(repository, null));

        Assert.True(again.Value.Skipped);
        Assert.Equal("forty minutes of work", await File.ReadAllTextAsync(Path.Combine(Workspace, "readme.md")));
    }

    [Fact]
    public async Task A_clone_that_was_cut_off_is_begun_anew()
    {
        Directory.CreateDirectory(Path.Combine(Workspace, ".git", "objects"));
        await File.WriteAllTextAsync(Path.Combine(Workspace, "half"), "");
        state.Write("cloning", repository);

        var cloned = await CloneAsync(new BoxRepository(repository, "main"));

        Assert.False(cloned.Value.Skipped);
        Assert.False(File.Exists(Path.Combine(Workspace, "half")));
        Assert.True(File.Exists(Path.Combine(Workspace, "readme.md")));
    }

    [Fact]
    public async Task Without_a_repository_the_workspace_is_an_empty_one_under_git()
    {
        var prepared = await CloneAsync(null);

        Assert.True(prepared.Value.Skipped);
        Assert.True(Directory.Exists(Path.Combine(Workspace, ".git")));
    }

    [Fact]
    public async Task A_repository_that_is_not_there_is_not_found() =>
        Assert.Equal("repository_not_found", (await CloneAsync(new BoxRepository($"file://{folder["nowhere"]}", null))).Problem?.Code);

    [Fact]
    public async Task A_branch_that_is_not_there_is_named()
    {
        var problem = (await CloneAsync(new BoxRepository(repository, "nope"))).Problem!;

        Assert.Equal("branch_not_found", problem.Code);
        Assert.Contains("'nope'", problem.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_host_that_nobody_answers_for_is_unreachable() =>
        Assert.Equal("repository_unreachable", (await CloneAsync(new BoxRepository("http://127.0.0.1:1/a.git", null))).Problem?.Code);

    [Fact]
    public async Task A_repository_over_the_limit_is_too_large_and_leaves_nothing()
    {
        var cloned = await CloneAsync(new BoxRepository(repository, null), new BoxLimits { RepositoryBytes = 100_000 });

        Assert.Equal("repository_too_large", cloned.Problem?.Code);
        Assert.Empty(Directory.EnumerateFileSystemEntries(Workspace));
    }

    [Fact]
    public async Task A_clone_for_which_the_disk_has_no_room_is_stopped_and_leaves_nothing()
    {
        var cloned = await CloneAsync(new BoxRepository(repository, null), diskIsFull: true);

        Assert.Equal("disk_full", cloned.Problem?.Code);
        Assert.Empty(Directory.EnumerateFileSystemEntries(Workspace));
    }

    [Fact]
    public async Task An_address_that_looks_like_an_option_is_no_option()
    {
        var cloned = await CloneAsync(new BoxRepository($"--upload-pack=touch {folder["owned"]}", null));

        Assert.NotNull(cloned.Problem);
        Assert.False(File.Exists(folder["owned"]));
    }

    [Fact]
    public async Task A_transport_that_runs_commands_is_not_taken()
    {
        var cloned = await CloneAsync(new BoxRepository($"ext::sh -c touch% {folder["owned"]}", null));

        Assert.NotNull(cloned.Problem);
        Assert.False(File.Exists(folder["owned"]));
    }

    private Task<Result<PhaseResult>> CloneAsync(BoxRepository? from, BoxLimits? limits = null, bool diskIsFull = false)
    {
        var settings = MachineHarness.Settings with { Repository = from, Limits = limits ?? new BoxLimits { CloneSeconds = 20 } };
        var tools = new Dictionary<string, string> { ["PATH"] = "/usr/bin:/bin", ["HOME"] = folder.Path, ["GIT_TERMINAL_PROMPT"] = "0" };
        return new CloneStep(new BootPlan(Workspace, tools, settings) { DiskIsFull = new(diskIsFull) }, state, TimeProvider.System).RunAsync(_ => { }, CancellationToken.None);
    }
}
