using Coordinator.Fakes;
using Coordinator.Modules.Sandboxes;
using Coordinator.Modules.Sandboxes.Provisioning;
using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Coordinator.Ports.Session;
using Coordinator.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Xunit;

namespace Coordinator.Tests.Modules.Sandboxes;

public sealed class ProvisioningTests
{
    private static readonly SessionSettings Settings = new("demo/scripted", "opencode", null, PermissionMode.Auto);

    private readonly ManualTime time = new();
    private readonly InMemorySandboxProvider provider;
    private readonly SessionKey key;
    private readonly SandboxId sandbox;
    private readonly SandboxEffects effects;

    public ProvisioningTests()
    {
        provider = new(time);
        key = new(OrganizationId.New(time), SessionId.New(time));
        sandbox = SandboxId.New(time);
        effects = new(provider, new StubTokens(), Options.Create(new SandboxesOptions { Deployment = "here" }), time, NullLogger<SandboxEffects>.Instance);
    }

    [Fact]
    public async Task A_box_is_made_with_its_labels_and_its_own_token()
    {
        SandboxSpec? made = null;
        provider.Program = (spec, _) =>
        {
            made = spec;
            return ValueTask.CompletedTask;
        };
        Assert.IsType<EffectOutcome.SandboxCreated>(await CreateAsync(sandbox, 3));
        Assert.Equal(new StubTokens().TokenFor(key, sandbox, 3), made!.BridgeToken);
        Assert.Equal("opencode", made.Agent);
        Assert.Equal(
            new Dictionary<string, string>
            {
                ["coordinator.organization"] = key.Organization.ToString(),
                ["coordinator.session"] = key.Session.ToString(),
                ["coordinator.sandbox"] = sandbox.ToString(),
                ["coordinator.generation"] = "3",
                ["coordinator.deployment"] = "here",
            },
            made.Labels);
    }

    [Fact]
    public async Task A_destroy_ends_what_answers_and_succeeds_only_when_all_of_it_did()
    {
        await CreateAsync(sandbox, 1);
        provider.IsSilent = _ => true;
        var destroy = new SessionEffect.DestroySandbox(sandbox, 1, null, KeepData: false);
        Assert.True(Assert.IsType<EffectOutcome.Failed>(await effects.RunAsync(key, destroy, CancellationToken.None)).Retryable);
        provider.IsSilent = _ => false;
        Assert.IsType<EffectOutcome.Succeeded>(await effects.RunAsync(key, destroy, CancellationToken.None));
        Assert.Empty(provider.Running);
    }

    [Fact]
    public async Task A_create_whose_answer_was_lost_is_tried_again_and_makes_no_second_box()
    {
        provider.CreateFaults.LoseResponses();
        var first = Assert.IsType<EffectOutcome.Failed>(await CreateAsync(sandbox, 1));
        Assert.True(first.Retryable);
        Assert.IsType<EffectOutcome.SandboxCreated>(await CreateAsync(sandbox, 1));
        Assert.Equal(1, provider.Made);
    }

    [Theory]
    [InlineData(PortFailureKind.Unavailable, true)]
    [InlineData(PortFailureKind.Timeout, true)]
    [InlineData(PortFailureKind.Limited, true)]
    [InlineData(PortFailureKind.Full, true)]
    [InlineData(PortFailureKind.Rejected, false)]
    [InlineData(PortFailureKind.Unauthorized, false)]
    public async Task A_transient_503_on_create_is_retried_and_a_refusal_is_not(PortFailureKind kind, bool retryable)
    {
        provider.CreateFaults.FailBefore(kind);
        var failed = Assert.IsType<EffectOutcome.Failed>(await CreateAsync(sandbox, 1));
        Assert.Equal(retryable, failed.Retryable);
        Assert.Equal(kind is PortFailureKind.Full ? "sandbox_full" : "sandbox_unavailable", failed.Problem.Code);
    }

    [Fact]
    public async Task A_provider_without_room_is_told_with_what_to_do_about_it()
    {
        provider.CreateFaults.FailBefore(PortFailureKind.Full);
        var failed = Assert.IsType<EffectOutcome.Failed>(await CreateAsync(sandbox, 1));
        Assert.Contains("Archive a session", failed.Problem.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_provider_that_lacks_what_is_required_makes_no_box_and_is_not_tried_again()
    {
        provider.Capabilities = new(KeepsData: true, Snapshots: false, EnforcesMemory: true, EnforcesEgress: false);
        var failed = Assert.IsType<EffectOutcome.Failed>(await Requiring("KeepsData", "enforcesegress").RunAsync(key, new SessionEffect.CreateSandbox(sandbox, 1, Settings), CancellationToken.None));
        Assert.Equal(("sandbox_capability_missing", false), (failed.Problem.Code, failed.Retryable));
        Assert.Contains("must be able to do EnforcesEgress, which the sandbox provider 'memory' does not do", failed.Problem.Detail, StringComparison.Ordinal);
        Assert.Equal(0, provider.Made);
    }

    [Fact]
    public async Task A_provider_that_cannot_tell_yet_what_it_can_do_makes_no_box_until_it_does()
    {
        var (all, requiring) = (provider.Capabilities, Requiring("EnforcesEgress"));
        provider.Capabilities = null;
        var failed = Assert.IsType<EffectOutcome.Failed>(await requiring.RunAsync(key, new SessionEffect.CreateSandbox(sandbox, 1, Settings), CancellationToken.None));
        Assert.Equal(("sandbox_unavailable", true), (failed.Problem.Code, failed.Retryable));
        Assert.Equal(0, provider.Made);
        provider.Capabilities = all;
        Assert.IsType<EffectOutcome.SandboxCreated>(await requiring.RunAsync(key, new SessionEffect.CreateSandbox(sandbox, 1, Settings), CancellationToken.None));
    }

    [Fact]
    public async Task Where_there_are_several_machines_nothing_is_made_before_the_session_knows_where()
    {
        var (pool, placed) = Pool("first");
        Assert.Equal(new EffectOutcome.SandboxPlaced("first"), await placed(null));
        Assert.Equal(0, pool.Made);
        Assert.IsType<EffectOutcome.SandboxCreated>(await placed("first"));
        Assert.Equal(1, pool.Made);
    }

    [Fact]
    public async Task A_create_that_was_placed_asks_that_machine_again_and_no_other_whatever_has_become_of_it()
    {
        var (pool, placed) = Pool("first");
        pool.CreateFaults.LoseResponses();
        Assert.False(Assert.IsType<EffectOutcome.Failed>(await placed("first")).PlaceIsFree);
        pool.Places = _ => "second";
        foreach (var kind in new[] { PortFailureKind.Unavailable, PortFailureKind.Timeout, PortFailureKind.Corrupt, PortFailureKind.Limited, PortFailureKind.Unauthorized })
        {
            pool.CreateFaults.FailBefore(kind);
            Assert.False(Assert.IsType<EffectOutcome.Failed>(await placed("first")).PlaceIsFree);
        }

        pool.CreateFaults.Clear();
        Assert.IsType<EffectOutcome.SandboxCreated>(await placed("first"));
        Assert.Equal(1, pool.Made);
    }

    [Fact]
    public async Task A_box_that_its_machine_has_no_room_for_is_placed_on_another()
    {
        var (pool, placed) = Pool("first");
        pool.CreateFaults.FailBefore(PortFailureKind.Full);
        pool.Places = _ => "second";
        Assert.Equal(new EffectOutcome.SandboxPlaced("second"), await placed("first"));
    }

    [Fact]
    public async Task While_no_other_machine_has_room_either_the_box_waits_free_to_be_placed_anew()
    {
        var (pool, placed) = Pool("first");
        pool.CreateFaults.FailBefore(PortFailureKind.Full);
        var same = Assert.IsType<EffectOutcome.Failed>(await placed("first"));
        Assert.Equal(("sandbox_full", true, true), (same.Problem.Code, same.Retryable, same.PlaceIsFree));
        pool.PlaceFaults.FailBefore(PortFailureKind.Full);
        var none = Assert.IsType<EffectOutcome.Failed>(await placed("first"));
        Assert.Equal(("sandbox_full", true, true), (none.Problem.Code, none.Retryable, none.PlaceIsFree));
    }

    [Fact]
    public void What_a_machine_says_of_itself_after_the_start_makes_no_setting_wrong()
    {
        var required = new SandboxesOptions { Requires = { "Snapshots" } };
        provider.Capabilities = null;
        var validator = new RequiredCapabilitiesValidator(() => provider);
        Assert.False(validator.Validate(null, required).Failed);
        provider.Capabilities = SandboxCapabilities.None;
        Assert.False(validator.Validate(null, required).Failed);
        Assert.True(new RequiredCapabilitiesValidator(() => provider).Validate(null, required).Failed);
    }

    [Fact]
    public async Task A_provider_call_that_never_returns_has_a_deadline()
    {
        var called = new TaskCompletionSource();
        provider.Program = async (_, cancellation) =>
        {
            called.SetResult();
            await Task.Delay(Timeout.InfiniteTimeSpan, time, cancellation);
        };
        var running = CreateAsync(sandbox, 1).AsTask();
        await called.Task;
        time.Advance(TimeSpan.FromSeconds(61));
        var failed = Assert.IsType<EffectOutcome.Failed>(await running.WaitAsync(TimeSpan.FromSeconds(20)));
        Assert.True(failed.Retryable);
    }

    [Fact]
    public async Task A_box_whose_create_never_answered_is_destroyed_by_its_label()
    {
        provider.CreateFaults.LoseResponses();
        await CreateAsync(sandbox, 1);
        Assert.IsType<EffectOutcome.Succeeded>(await DestroyAsync(null, keepData: true));
        Assert.Empty(provider.Running);
    }

    [Fact]
    public async Task To_destroy_a_box_that_was_never_made_succeeds() => Assert.IsType<EffectOutcome.Succeeded>(await DestroyAsync(null, keepData: false));

    [Fact]
    public async Task When_the_data_goes_what_earlier_boxes_left_goes_too()
    {
        var made = Assert.IsType<EffectOutcome.SandboxCreated>(await CreateAsync(sandbox, 1));
        provider.Write(key.Session, "work", "old");
        await DestroyAsync(made.Handle, keepData: true);
        var never = SandboxId.New(time);
        await effects.RunAsync(key, new SessionEffect.DestroySandbox(never, 2, null, KeepData: false), CancellationToken.None);
        Assert.Null(provider.Read(key.Session, "work"));
    }

    [Fact]
    public async Task A_late_call_to_end_an_old_box_leaves_the_next_one_running()
    {
        var made = Assert.IsType<EffectOutcome.SandboxCreated>(await CreateAsync(sandbox, 1));
        await DestroyAsync(made.Handle, keepData: true);
        var next = SandboxId.New(time);
        await CreateAsync(next, 2);
        await DestroyAsync(null, keepData: false);
        Assert.Single(provider.Running);
    }

    [Fact]
    public async Task A_stop_that_fails_is_reported_to_be_tried_again()
    {
        var made = Assert.IsType<EffectOutcome.SandboxCreated>(await CreateAsync(sandbox, 1));
        provider.DestroyFaults.FailBefore();
        Assert.True(Assert.IsType<EffectOutcome.Failed>(await DestroyAsync(made.Handle, keepData: true)).Retryable);
        provider.DestroyFaults.Clear();
        Assert.IsType<EffectOutcome.Succeeded>(await DestroyAsync(made.Handle, keepData: true));
    }

    [Fact]
    public async Task An_inspection_says_what_the_provider_knows()
    {
        var made = Assert.IsType<EffectOutcome.SandboxCreated>(await CreateAsync(sandbox, 1));
        provider.Die(sandbox, "out_of_memory");
        var seen = await effects.RunAsync(key, new SessionEffect.InspectSandbox(made.Handle), CancellationToken.None);
        Assert.Equal(new EffectOutcome.SandboxInspected(SandboxStatus.Stopped, "out_of_memory"), seen);
    }

    /// <summary>A provider of several machines, of which this one is asked; and a create, on the machine it was placed on if it was.</summary>
    private (InMemorySandboxProvider Pool, Func<string?, ValueTask<EffectOutcome>> Create) Pool(string node)
    {
        var pool = new InMemorySandboxProvider(time, node: node) { Places = _ => node };
        var placing = new SandboxEffects(pool, new StubTokens(), Options.Create(new SandboxesOptions()), time, NullLogger<SandboxEffects>.Instance);
        return (pool, placed => placing.RunAsync(key, new SessionEffect.CreateSandbox(sandbox, 1, Settings, placed), CancellationToken.None));
    }

    private SandboxEffects Requiring(params string[] capabilities)
    {
        var required = new SandboxesOptions();
        required.Requires.AddRange(capabilities);
        return new(provider, new StubTokens(), Options.Create(required), time, NullLogger<SandboxEffects>.Instance);
    }

    private ValueTask<EffectOutcome> CreateAsync(SandboxId box, int generation) => effects.RunAsync(key, new SessionEffect.CreateSandbox(box, generation, Settings), CancellationToken.None);

    private ValueTask<EffectOutcome> DestroyAsync(SandboxHandle? handle, bool keepData) =>
        effects.RunAsync(key, new SessionEffect.DestroySandbox(sandbox, 1, handle, keepData), CancellationToken.None);
}
