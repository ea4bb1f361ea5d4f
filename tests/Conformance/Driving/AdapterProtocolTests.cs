using Coordinator.Bench.Driving;
using Coordinator.Bench.Measuring;
using Coordinator.Bench.Scenarios;
using Coordinator.Tests.Conformance.Architecture;
using Coordinator.Tests.Support;
using Xunit;

namespace Coordinator.Tests.Conformance.Driving;

/// <summary>The protocol by which the benchmark drives any server (docs/benchmarks.md, "Measuring another server"): with the example adapter, and with some that end or lie.</summary>
public sealed class AdapterProtocolTests
{
    private readonly ManualTime time = new();

    [Fact]
    public async Task A_server_behind_the_example_adapter_is_measured_whole()
    {
        await using var server = Example();

        var measured = await Eventually.ComesAsync(MeasureAsync(server), "the figures of a server that keeps all in memory");

        Assert.Equal(20, measured.Single(one => one.Name == "events").Value);
        Assert.Equal(8, measured.Count);
        Assert.All(measured, one => Assert.True(one.Value > 0, $"{one.Area}, {one.Name}: {one.Value}"));
    }

    [Fact]
    public async Task A_follower_is_told_what_it_missed_and_what_comes_until_it_leaves()
    {
        await using var server = Example();
        var session = await server.CreateAsync(CancellationToken.None);
        string? middle;
        await using (var first = await server.FollowAsync(session, null, CancellationToken.None))
        {
            await server.PromptAsync(session, "hello", CancellationToken.None);
            middle = (await TakeAsync(first, 5)).Cursor;
            Assert.True((await TakeAsync(first, 15)).EndsTurn);
        }

        await using var second = await server.FollowAsync(session, middle, CancellationToken.None);

        Assert.Equal(new(15, "20", EndsTurn: true), await NextAsync(second));
    }

    [Fact]
    public async Task What_an_adapter_cannot_do_is_a_failure_in_its_words()
    {
        await using var server = Example();

        var failure = await Assert.ThrowsAsync<InvalidOperationException>(() => server.PromptAsync("none", "hello", CancellationToken.None));

        Assert.Contains("There is no session none.", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Questions_to_an_adapter_that_has_ended_are_refused_with_its_exit_code()
    {
        await using var server = Shell("exit 7");

        Assert.Contains("exit code 7", (await FailsAsync<AdapterEndedException>(server.CreateAsync(CancellationToken.None))).Message, StringComparison.Ordinal);
        Assert.Contains("exit code 7", (await FailsAsync<AdapterEndedException>(server.CreateAsync(CancellationToken.None))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task So_are_those_to_one_that_closed_its_output_and_still_reads()
    {
        await using var server = Shell("exec >&-; cat >/dev/null");
        var first = server.CreateAsync(CancellationToken.None);
        await time.WaitForTimersAsync(2); // of the question, and of the program that may yet end
        time.Advance(ProgramServer.Ending);

        await FailsAsync<AdapterEndedException>(first);
        Assert.Contains("closed its output", (await FailsAsync<AdapterEndedException>(server.CreateAsync(CancellationToken.None))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task So_are_those_to_one_that_says_what_is_no_line_of_the_protocol()
    {
        await using var server = Shell("echo listening on 8080; cat >/dev/null");

        await FailsAsync<AdapterEndedException>(server.CreateAsync(CancellationToken.None));
        Assert.Contains("listening on 8080", (await FailsAsync<AdapterEndedException>(server.CreateAsync(CancellationToken.None))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_follower_hears_that_its_adapter_ended_and_not_that_its_server_did()
    {
        await using var server = Shell("""read q; echo '{"id":"1"}'; exit 3""");
        await using var follower = await server.FollowAsync("s1", null, CancellationToken.None);

        Assert.Contains("exit code 3", (await FailsAsync<AdapterEndedException>(follower.NextAsync(CancellationToken.None).AsTask())).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_adapter_that_does_not_answer_is_not_waited_for_for_ever()
    {
        await using var server = Shell("cat >/dev/null");
        var asking = server.CreateAsync(CancellationToken.None);
        await time.WaitForTimersAsync(1);
        time.Advance(ProgramServer.Patience);

        Assert.Contains("'create'", (await FailsAsync<TimeoutException>(asking)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task One_that_reads_no_more_and_does_not_end_is_ended()
    {
        var server = Shell("""read q; exec <&-; echo '{"id":"1","session":"s1"}'; exec tail -f /dev/null""");
        await server.CreateAsync(CancellationToken.None);
        var asking = server.CreateAsync(CancellationToken.None);
        await time.WaitForTimersAsync(1);
        time.Advance(ProgramServer.Patience);
        await FailsAsync<TimeoutException>(asking);

        var leaving = server.DisposeAsync().AsTask();
        await time.WaitForTimersAsync(1);
        time.Advance(ProgramServer.Ending);

        await leaving.WaitAsync(Eventually.Bound, TimeProvider.System);
    }

    private ProgramServer Example() => new(time, "node", [Path.Combine(House.Root, "bench", "adapters", "memory.mjs")]);

    private ProgramServer Shell(string script) => new(time, "sh", ["-c", script]);

    private static async Task<List<Measurement>> MeasureAsync(IServer server)
    {
        List<Measurement> measured = [];
        await foreach (var one in new Drive(server, sessions: 16, turns: 3).RunAsync(CancellationToken.None)) measured.Add(one);
        return measured;
    }

    private static async Task<Told> TakeAsync(IFollower follower, int events)
    {
        var last = default(Told);
        for (var told = 0; told < events; told += last.Events) last = Assert.NotNull(await NextAsync(follower));
        return last;
    }

    private static Task<Told?> NextAsync(IFollower follower) => Eventually.ComesAsync(follower.NextAsync(CancellationToken.None).AsTask(), "the next thing told");

    private static Task<T> FailsAsync<T>(Task asking)
        where T : Exception => Assert.ThrowsAsync<T>(() => asking.WaitAsync(Eventually.Bound, TimeProvider.System));
}
