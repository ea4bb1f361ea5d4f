using Coordinator.Ports;
using Coordinator.Ports.Session;
using Coordinator.Tests.Conformance.Postgres;
using Coordinator.Tests.Support;
using Npgsql;
using Xunit;

namespace Coordinator.Tests.Conformance.AlarmClock;

public sealed class PostgresAlarmClockTests : AlarmClockContract, IAsyncLifetime
{
    private readonly PostgresFixture fixture = new();
    private readonly List<IHostRegistration> hosts = [];
    private PostgresSessions? sessions;

    protected override IAlarmClock Clock => Sessions.AlarmClock;

    protected override ISessionJournal Journal => Sessions.Journal;

    private PostgresSessions Sessions => sessions ?? throw new InvalidOperationException("Not initialized.");

    public async Task InitializeAsync()
    {
        await fixture.InitializeAsync();
        sessions = new(fixture.ConnectionString, ("Hosts:TimeToLive", "00:05:00")); // a machine that is busy makes no host doubt itself
    }

    public async Task DisposeAsync()
    {
        foreach (var host in hosts) await host.DisposeAsync();
        await Sessions.DisposeAsync();
        await fixture.DisposeAsync();
    }

    [Fact]
    public async Task A_session_that_is_being_written_is_passed_over_not_waited_for()
    {
        var key = new SessionKey(OrganizationId.New(TimeProvider.System), SessionId.New(TimeProvider.System));
        var lease = (await Journal.OpenAsync(key, HostId.New(TimeProvider.System), create: true, default))!;
        await Journal.AppendAsync(lease, new(0, default, 0, await NowAsync(), await NowAsync(), null), default);

        await using (var connection = await Sessions.Owner.OpenConnectionAsync())
        await using (await connection.BeginTransactionAsync())
        {
            await using var held = new NpgsqlCommand("SELECT 1 FROM session_head FOR UPDATE", connection);
            await held.ExecuteNonQueryAsync();
            Assert.Empty(await Clock.ClaimDueAsync(HostId.New(TimeProvider.System), 10, LookAhead.No, TimeSpan.FromMinutes(1), default));
        }

        Assert.Equal([key], await Clock.ClaimDueAsync(HostId.New(TimeProvider.System), 10, LookAhead.No, TimeSpan.FromMinutes(1), default));
    }

    [Fact]
    public async Task Handed_out_by_a_clock_that_was_ahead_it_is_not_hidden_once_that_has_gone_back()
    {
        var key = new SessionKey(OrganizationId.New(TimeProvider.System), SessionId.New(TimeProvider.System));
        var lease = (await Journal.OpenAsync(key, HostId.New(TimeProvider.System), create: true, default))!;
        await Journal.AppendAsync(lease, new(0, default, 0, await NowAsync(), await NowAsync(), null), default);
        Assert.Equal([key], await Clock.ClaimDueAsync(HostId.New(TimeProvider.System), 10, LookAhead.No, TimeSpan.FromMinutes(1), default));
        Assert.Empty(await Clock.ClaimDueAsync(HostId.New(TimeProvider.System), 10, LookAhead.No, TimeSpan.FromMinutes(1), default));

        await using (var back = Sessions.Owner.CreateCommand("UPDATE session_head SET hidden_until = hidden_until + interval '1 hour'")) await back.ExecuteNonQueryAsync();

        Assert.Equal([key], await Clock.ClaimDueAsync(HostId.New(TimeProvider.System), 10, LookAhead.No, TimeSpan.FromMinutes(1), default));
    }

    [Fact]
    public async Task A_beat_that_lies_ahead_since_the_clock_was_set_back_keeps_nothing_from_others()
    {
        var (hanging, other) = (await LivingHostAsync(), await LivingHostAsync());
        var key = new SessionKey(OrganizationId.New(TimeProvider.System), SessionId.New(TimeProvider.System));
        var lease = (await Journal.OpenAsync(key, hanging, create: true, default))!;
        await Journal.AppendAsync(lease, new(0, default, 0, await NowAsync(), await NowAsync(), null), default);
        Assert.Empty(await Clock.ClaimDueAsync(other, 10, LookAhead.No, TimeSpan.FromMinutes(1), default));

        await BeatLiesAsync(hanging, TimeSpan.FromHours(1));

        Assert.Equal([key], await Clock.ClaimDueAsync(other, 10, LookAhead.No, TimeSpan.FromMinutes(1), default));
    }

    protected override async Task<HostId> LivingHostAsync()
    {
        hosts.Add(await Sessions.Hosts.RegisterAsync(new(new("http://127.0.0.1:1/")), default));
        return hosts[^1].Location.Id;
    }

    /// <summary>Its connection is gone, and with it its lock.</summary>
    protected override async Task KillAsync(HostId host)
    {
        await using var command = Sessions.Owner.CreateCommand(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 2 AND classid = host_lock_class()::oid AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND objid = (SELECT lock::oid FROM session_host WHERE id = $1)");
        command.Parameters.Add(new() { Value = host.Value });
        Assert.Equal(true, await command.ExecuteScalarAsync());
    }

    /// <summary>Its next beat is more than half a minute away.</summary>
    protected override Task HangAsync(HostId host) => BeatLiesAsync(host, TimeSpan.FromHours(-1));

    protected override async Task<DateTimeOffset> NowAsync()
    {
        await using var command = Sessions.Owner.CreateCommand("SELECT now()");
        return new((DateTime)(await command.ExecuteScalarAsync())!);
    }

    private async Task BeatLiesAsync(HostId host, TimeSpan fromNow)
    {
        await using var command = Sessions.Owner.CreateCommand("UPDATE session_host SET beat = now() + $2 WHERE id = $1");
        command.Parameters.Add(new() { Value = host.Value });
        command.Parameters.Add(new() { Value = fromNow });
        Assert.Equal(1, await command.ExecuteNonQueryAsync());
    }

    /// <summary>The database's clock cannot be turned, so everything that stands on it is moved into the past instead.</summary>
    protected override async Task PassAsync(TimeSpan time)
    {
        await using var command = Sessions.Owner.CreateCommand("UPDATE session_head SET wake_at = wake_at - $1, hidden_until = hidden_until - $1");
        command.Parameters.Add(new() { Value = time });
        await command.ExecuteNonQueryAsync();
    }
}
