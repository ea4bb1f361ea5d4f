using Coordinator.Ports;
using Coordinator.Ports.Record;
using Coordinator.Ports.Session;
using Coordinator.Tests.Support;
using Xunit;

namespace Coordinator.Tests.Conformance.RunHistory;

/// <summary>What every run history promises.</summary>
public abstract class RunHistoryContract
{
    private readonly OrganizationId organization = OrganizationId.New(TimeProvider.System);
    private readonly SessionId session = SessionId.New(TimeProvider.System);

    protected abstract IRunHistory History { get; }

    /// <summary>Changes the outcome of a stored run behind the history's back.</summary>
    protected abstract ValueTask TamperAsync(OrganizationId organization, RunId run, string outcome);

    [Fact]
    public async Task A_run_is_read_as_it_was_flushed()
    {
        var run = Sample.Run(organization, session, 1) with { FailureCode = "model_error", Outcome = "failed" };
        await History.FlushAsync(run, default);

        var stored = await History.FindAsync(organization, run.Id, default);

        Assert.NotNull(stored);
        Assert.Equal(run, stored.Run);
        Assert.Equal(RunChain.Genesis, stored.PreviousHash);
        Assert.Equal(RunChain.HashOf(RunChain.Genesis, run), stored.Hash);
        Assert.Equal([stored], await History.ListAsync(organization, session, null, 10, default));
    }

    [Fact]
    public async Task Times_finer_than_a_microsecond_or_of_another_zone_do_not_break_the_chain()
    {
        var run = Sample.Run(organization, session, 1);
        var odd = run with { EndedAt = run.EndedAt.AddTicks(7).ToOffset(TimeSpan.FromHours(5)), Usage = run.Usage with { CostUsd = 0.0123000m } };
        await History.FlushAsync(odd, default);

        var stored = await History.FindAsync(organization, run.Id, default);

        Assert.Equal(run.EndedAt, stored?.Run.EndedAt);
        Assert.Equal(RunChain.HashOf(RunChain.Genesis, odd), stored?.Hash);
        Assert.Null(await History.VerifyChainAsync(organization, session, default));
    }

    [Fact]
    public async Task A_run_flushed_twice_is_one_row()
    {
        var run = Sample.Run(organization, session, 1);
        await History.FlushAsync(run, default);
        await History.FlushAsync(Sample.Run(organization, session, 2), default);
        await History.FlushAsync(run with { Outcome = "cancelled" }, default);

        var listed = await History.ListAsync(organization, session, null, 10, default);

        Assert.Equal([2, 1], listed.Select(stored => stored.Run.Ordinal));
        Assert.Equal("completed", listed[1].Run.Outcome);
        Assert.Null(await History.VerifyChainAsync(organization, session, default));
    }

    [Fact]
    public async Task A_resent_error_is_stored_twice()
    {
        var failed = Sample.Run(organization, session, 1) with { Outcome = "failed", FailureCode = "model_error" };

        await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => Task.Run(async () => await History.FlushAsync(failed, default))));

        Assert.Single(await History.ListAsync(organization, session, null, 10, default));
    }

    [Fact]
    public async Task Runs_flushed_at_the_same_moment_make_one_unbroken_chain()
    {
        var runs = Enumerable.Range(1, 20).Select(ordinal => Sample.Run(organization, session, ordinal)).ToList();

        await Task.WhenAll(runs.Select(run => Task.Run(async () => await History.FlushAsync(run, default))));

        var listed = await History.ListAsync(organization, session, null, 50, default);
        Assert.Equal(20, listed.Count);
        Assert.Equal(20, listed.Select(stored => stored.PreviousHash).Distinct().Count());
        Assert.Null(await History.VerifyChainAsync(organization, session, default));
    }

    [Fact]
    public async Task A_late_run_is_kept_and_a_second_one_of_the_same_ordinal_is_refused()
    {
        await History.FlushAsync(Sample.Run(organization, session, 2), default);
        await History.FlushAsync(Sample.Run(organization, session, 1), default);

        await PortAssert.FailsAsync(PortFailureKind.Rejected, () => History.FlushAsync(Sample.Run(organization, session, 2), default));

        Assert.Equal([2, 1], (await History.ListAsync(organization, session, null, 10, default)).Select(stored => stored.Run.Ordinal));
        Assert.Null(await History.VerifyChainAsync(organization, session, default));
    }

    [Theory]
    [InlineData('\0')]
    [InlineData('\ud800')]
    [InlineData('\udc00')]
    public async Task A_run_with_text_that_no_database_keeps_is_refused_and_those_behind_it_are_kept(char unkept)
    {
        var text = $"a{unkept}b";
        var run = Sample.Run(organization, session, 1);
        foreach (var one in (RunRecord[])[run with { FailureCode = text }, run with { Model = text }, run with { RequestedBy = run.RequestedBy with { DisplayName = text } }, run with { Usage = run.Usage with { Model = text } }])
            await PortAssert.FailsAsync(PortFailureKind.Rejected, () => History.FlushAsync(one, default));

        await History.FlushAsync(Sample.Run(organization, session, 2), default);

        Assert.Equal([2], (await History.ListAsync(organization, session, null, 10, default)).Select(stored => stored.Run.Ordinal));
        Assert.Null(await History.VerifyChainAsync(organization, session, default));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task The_chain_detects_a_changed_run(int ordinal)
    {
        var runs = Enumerable.Range(1, 3).Select(number => Sample.Run(organization, session, number)).ToList();
        foreach (var run in runs) await History.FlushAsync(run, default);
        Assert.Null(await History.VerifyChainAsync(organization, session, default));

        await TamperAsync(organization, runs[ordinal - 1].Id, "tampered");

        Assert.Equal(runs[ordinal - 1].Id, await History.VerifyChainAsync(organization, session, default));
    }

    [Fact]
    public async Task A_run_after_a_changed_one_still_joins_and_does_not_hide_it()
    {
        var first = Sample.Run(organization, session, 1);
        await History.FlushAsync(first, default);
        await TamperAsync(organization, first.Id, "tampered");
        await History.FlushAsync(Sample.Run(organization, session, 2), default);

        Assert.Equal(first.Id, await History.VerifyChainAsync(organization, session, default));
    }

    [Fact]
    public async Task Pages_follow_on_without_gap_or_repeat_even_when_runs_ended_at_the_same_moment()
    {
        var other = SessionId.New(TimeProvider.System);
        var runs = Enumerable.Range(1, 7).SelectMany(ordinal => (RunRecord[])[Sample.Run(organization, session, ordinal), Sample.Run(organization, other, ordinal)]).ToList();
        foreach (var run in runs) await History.FlushAsync(run, default);

        var paged = new List<RunId>();
        RunId? before = null;
        while (true)
        {
            var page = await History.ListAsync(organization, null, before, 3, default);
            if (page.Count == 0) break;
            paged.AddRange(page.Select(stored => stored.Run.Id));
            before = paged[^1];
        }

        Assert.Equal(14, paged.Distinct().Count());
        Assert.Equal(paged, (await History.ListAsync(organization, null, null, 100, default)).Select(stored => stored.Run.Id));
        var ends = paged.Select(id => runs.Single(run => run.Id == id).EndedAt).ToList();
        Assert.Equal(ends.OrderDescending(), ends);
    }

    [Fact]
    public async Task Another_tenants_run_is_as_if_it_did_not_exist()
    {
        var run = Sample.Run(organization, session, 1);
        await History.FlushAsync(run, default);
        var foreign = OrganizationId.New(TimeProvider.System);

        Assert.Null(await History.FindAsync(foreign, run.Id, default));
        Assert.Empty(await History.ListAsync(foreign, null, null, 10, default));
        Assert.Empty(await History.ListAsync(foreign, session, null, 10, default));
        Assert.Empty(await History.ListAsync(organization, session, RunId.New(TimeProvider.System), 10, default));
        Assert.Null(await History.VerifyChainAsync(foreign, session, default));
        await History.FlushAsync(run with { Organization = foreign, Outcome = "failed" }, default);
        Assert.Equal("completed", (await History.FindAsync(organization, run.Id, default))?.Run.Outcome);
    }
}
