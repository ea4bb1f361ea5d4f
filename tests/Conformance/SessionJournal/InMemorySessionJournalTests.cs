using Coordinator.Fakes;
using Coordinator.Ports;
using Coordinator.Ports.Session;
using Xunit;

namespace Coordinator.Tests.Conformance.SessionJournal;

public sealed class InMemorySessionJournalTests : SessionJournalArchiveContract
{
    private readonly InMemoryJournalStore store = new(TimeProvider.System);
    private readonly InMemorySessionJournal journal;
    private readonly InMemoryHostRegistry registry;

    public InMemorySessionJournalTests() => (journal, registry) = (new(store), new(store));

    protected override ISessionJournal Journal => journal;

    [Fact]
    public async Task Told_to_be_unavailable_it_writes_nothing_and_says_so()
    {
        var lease = await CreateAsync(NewKey());
        journal.Faults.FailBefore(calls: 1);

        var failure = await Assert.ThrowsAsync<PortException>(() => AppendAsync(lease, 0, events: 1));

        Assert.Equal((PortFailureKind.Unavailable, false), (failure.Kind, failure.EffectMayHaveHappened));
        Assert.True(await AppendAsync(lease, 0, events: 1));
    }

    [Fact]
    public async Task Told_to_lose_an_answer_it_writes_and_says_that_it_is_unknown()
    {
        var lease = await CreateAsync(NewKey());
        journal.Faults.LoseResponses();

        var failure = await Assert.ThrowsAsync<PortException>(() => AppendAsync(lease, 0, events: 1));

        Assert.True(failure.EffectMayHaveHappened);
        Assert.Single(await ReadAllAsync(lease.Key));
    }

    [Fact]
    public async Task Told_to_refuse_data_only_that_append_fails()
    {
        var (good, bad) = (await CreateAsync(NewKey()), await CreateAsync(NewKey()));
        journal.Rejects = append => append.Payload.Span.IndexOf("poison"u8) >= 0;

        Assert.Equal(PortFailureKind.Rejected, (await Assert.ThrowsAsync<PortException>(() => AppendAsync(bad, 0, events: 1, payload: "poison"))).Kind);
        Assert.True(await AppendAsync(good, 0, events: 1));
    }

    [Fact]
    public async Task Told_to_fence_a_session_its_lease_is_void()
    {
        var lease = await CreateAsync(NewKey());
        store.Fence(lease.Key);

        Assert.False(await AppendAsync(lease, 0, events: 1));
    }

    protected override async Task<HostId> LivingHostAsync() => (await registry.RegisterAsync(new(new("http://127.0.0.1:1/")), default)).Location.Id;

    protected override Task KillAsync(HostId host)
    {
        registry.Kill(host);
        return Task.CompletedTask;
    }
}
