using Coordinator.Adapters.Postgres;
using Coordinator.Ports;
using Coordinator.Ports.Identity;
using Coordinator.Ports.Session;
using Coordinator.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Xunit;

namespace Coordinator.Tests.Conformance.Postgres;

/// <summary>What waits for the disk where nothing comes to it: what somebody is told of, and nothing that only leads there.</summary>
public sealed class UnforcedCommitTests
{
    private const string WaitingForDurability = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'";

    [Fact]
    public async Task A_lease_before_the_first_record_a_claim_and_an_answer_that_a_repeat_gets_again_wait_for_no_disk_and_what_was_told_does()
    {
        await using var postgres = await OwnPostgresServer.StartAsync();
        await using var process = new PostgresSessions(postgres.ConnectionString);
        await using var services = new ServiceCollection().AddSingleton(process.Shared).AddPostgresTenantDirectory().BuildServiceProvider();
        var directory = services.GetRequiredService<ITenantDirectory>();
        var organization = OrganizationId.New(TimeProvider.System);
        await ExecuteAsync(process.Owner, "INSERT INTO organization (org, name, created_at) VALUES ($1, 'Acme', clock_timestamp())", organization.Value);
        await postgres.HoldUpCommitsAsync();

        var lease = await GoesOnAsync(process, process.Journal.OpenAsync(new(organization, SessionId.New(TimeProvider.System)), HostId.New(TimeProvider.System), create: true, default).AsTask());
        foreach (var key in new[] { "recognised", "another" })
        {
            var claimed = await GoesOnAsync(process, directory.ClaimRequestAsync(organization, "scope", key, new byte[] { 1 }, TimeProvider.System.GetUtcNow(), TimeSpan.FromHours(1), default).AsTask());
            var claim = Assert.IsType<RequestClaim.Mine>(claimed).Id;
            var answering = directory.CompleteRequestAsync(organization, "scope", key, claim, new(201, "text/plain", [1]), repeatsRecognised: key == "recognised", default).AsTask();
            if (key == "recognised") await GoesOnAsync(process, AnsweredAsync(answering));
            else await WaitsForDurabilityAsync(process, 1);
        }

        var appending = process.Journal.AppendAsync(lease!, new(0, "{}"u8.ToArray(), 1, DateTimeOffset.UnixEpoch, null, "{}"u8.ToArray()), default).AsTask();
        await WaitsForDurabilityAsync(process, 2);
        Assert.False(appending.IsCompleted);
    }

    /// <summary>What it comes to, without ever having waited for the disk: a wait ends by itself, with the statement's time.</summary>
    private static async Task<T> GoesOnAsync<T>(PostgresSessions process, Task<T> work)
    {
        while (!work.IsCompleted) Assert.Equal(0L, await ScalarAsync(process.Owner, WaitingForDurability));
        return await work;
    }

    private static async Task<bool> AnsweredAsync(Task answering)
    {
        await answering;
        return true;
    }

    private static Task WaitsForDurabilityAsync(PostgresSessions process, int count) =>
        Eventually.HoldsAsync(async () => await ScalarAsync(process.Owner, WaitingForDurability) is long waiting && waiting == count, $"{count} to wait for the disk");

    private static async Task ExecuteAsync(NpgsqlDataSource source, string sql, params object[] values) => await ScalarAsync(source, sql, values);

    private static async Task<object?> ScalarAsync(NpgsqlDataSource source, string sql, params object[] values)
    {
        await using var command = source.CreateCommand(sql);
        foreach (var value in values) command.Parameters.Add(new() { Value = value });
        return await command.ExecuteScalarAsync();
    }
}
