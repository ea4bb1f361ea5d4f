using Coordinator.Ports;
using Coordinator.Tests.Modules.Tenancy;
using Xunit;

namespace Coordinator.Tests.Modules.Runs;

public sealed class RunRouteTests : IAsyncLifetime
{
    private readonly SessionId session = SessionId.New(TimeProvider.System);
    private TenancyServer server = null!;

    public async Task InitializeAsync() => server = await TenancyServer.StartAsync();

    public async Task DisposeAsync() => await server.DisposeAsync();

    [Fact]
    public async Task A_run_is_shown_with_who_what_and_its_place_in_the_chain()
    {
        var member = await server.MemberAsync(Role.Viewer);
        var run = Runs.Finished(member.Organization, session, 1);
        await server.Runs.FlushAsync(run, default);

        var shown = await member.Http.GetAsync($"/v1/runs/{run.Id}").JsonAsync(200);

        Assert.Equal(
            ["id", "organization", "session", "message", "ordinal", "requestedBy", "model", "agent", "sandbox", "generation", "sandboxProvider", "outcome", "failureCode", "usage",
                "queuedAt", "startedAt", "endedAt", "firstSeq", "lastSeq", "eventsDigest", "previousHash", "hash"],
            shown.EnumerateObject().Select(property => property.Name));
        Assert.Equal(("user", 0.5m), (shown.GetProperty("requestedBy").GetProperty("kind").GetString(), shown.GetProperty("usage").GetProperty("costUsd").GetDecimal()));
        Assert.Matches("^[0-9a-f]{64}$", shown.GetProperty("hash").GetString());
    }

    [Fact]
    public async Task Pages_follow_on_to_the_end()
    {
        var member = await server.MemberAsync(Role.Viewer);
        for (var ordinal = 1; ordinal <= 5; ordinal++) await server.Runs.FlushAsync(Runs.Finished(member.Organization, session, ordinal), default);
        await server.Runs.FlushAsync(Runs.Finished(member.Organization, SessionId.New(TimeProvider.System), 9), default);

        var ordinals = new List<int>();
        string? cursor = null;
        do
        {
            var page = await member.Http.GetAsync($"/v1/runs?session={session}&limit=2{(cursor is null ? "" : $"&cursor={cursor}")}").JsonAsync(200);
            ordinals.AddRange(page.GetProperty("items").EnumerateArray().Select(run => run.GetProperty("ordinal").GetInt32()));
            cursor = page.GetProperty("nextCursor").GetString();
        }
        while (cursor is not null);

        Assert.Equal([5, 4, 3, 2, 1], ordinals);
        Assert.Equal(6, (await member.Http.GetAsync("/v1/runs").JsonAsync(200)).GetProperty("items").GetArrayLength());
    }

    [Fact]
    public async Task Any_signed_in_user_can_read_any_session()
    {
        var own = await server.MemberAsync(Role.Owner);
        var foreign = await server.MemberAsync(Role.Owner);
        var run = Runs.Finished(foreign.Organization, session, 1);
        await server.Runs.FlushAsync(run, default);

        await own.Http.GetAsync($"/v1/runs/{run.Id}").RefusedAsync(404, "run_not_found");
        await own.Http.GetAsync($"/v1/runs/{RunId.New(TimeProvider.System)}").RefusedAsync(404, "run_not_found");
        Assert.Equal(0, (await own.Http.GetAsync($"/v1/runs?session={session}").JsonAsync(200)).GetProperty("items").GetArrayLength());
        Assert.Equal(0, (await own.Http.GetAsync($"/v1/runs?cursor={run.Id}").JsonAsync(200)).GetProperty("items").GetArrayLength());
        await foreign.Http.GetAsync($"/v1/runs/{run.Id}").JsonAsync(200);
    }

    [Theory]
    [InlineData("/v1/runs/junk", 404, "run_not_found")]
    [InlineData("/v1/runs?limit=0", 400, "limit_invalid")]
    [InlineData("/v1/runs?limit=201", 400, "limit_invalid")]
    [InlineData("/v1/runs?cursor=junk", 400, "cursor_malformed")]
    [InlineData("/v1/runs?session=junk", 400, "parameter_invalid")]
    public async Task What_cannot_be_read_is_refused(string path, int status, string code)
    {
        var member = await server.MemberAsync(Role.Viewer);

        await member.Http.GetAsync(path).RefusedAsync(status, code);
    }

    [Fact]
    public async Task While_the_history_is_down_the_caller_is_told_when_to_try_again()
    {
        var member = await server.MemberAsync(Role.Viewer);
        server.Runs.Faults.FailBefore();

        using var response = await member.Http.GetAsync("/v1/runs");

        Assert.Equal(503, (int)response.StatusCode);
        Assert.NotNull(response.Headers.RetryAfter);
    }
}
