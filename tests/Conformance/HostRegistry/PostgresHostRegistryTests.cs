using Coordinator.Ports;
using Coordinator.Ports.Session;
using Coordinator.Tests.Conformance.Postgres;
using Coordinator.Tests.Support;
using Coordinator.Tests.Support.Network;
using Npgsql;
using Xunit;

namespace Coordinator.Tests.Conformance.HostRegistry;

public sealed class PostgresHostRegistryTests(PostgresFixture postgres) : HostRegistryContract, IClassFixture<PostgresFixture>
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan LongLife = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan ShortLife = TimeSpan.FromSeconds(4);

    private readonly List<PostgresSessions> processes = [];
    private PostgresSessions? observer;

    protected override ISessionJournal Journal => Observer.Journal;

    private PostgresSessions Observer => observer ?? throw new InvalidOperationException("Not initialized.");

    public override Task InitializeAsync()
    {
        observer = new(postgres.ConnectionString);
        return Task.CompletedTask;
    }

    public override async Task DisposeAsync()
    {
        await base.DisposeAsync();
        foreach (var process in processes) await process.DisposeAsync();
        await Observer.DisposeAsync();
    }

    [Fact]
    public async Task What_a_dead_host_left_under_way_is_ended_before_its_session_is_taken()
    {
        var (mine, other) = (await HostAsync(), await HostAsync());
        var key = NewKey();
        await OpenAsync(key, mine.Host);
        await using var frozen = await processes[0].System.OpenConnectionAsync();
        await using var transaction = await frozen.BeginTransactionAsync(); // an append whose end was never sent: it holds the session's row
        await ExecuteAsync(frozen, "UPDATE session_head SET seq = seq WHERE session = $1", key.Session.Value);

        await CutLockAsync(mine.Host);

        Assert.Equal(other.Host.Location, await other.Registry.ClaimAsync(key, other.Host, default).AsTask().WaitAsync(Bound));
        await Assert.ThrowsAnyAsync<NpgsqlException>(() => ExecuteAsync(frozen, "UPDATE session_head SET seq = seq WHERE session = $1", key.Session.Value));
    }

    [Fact]
    public async Task A_dead_host_loses_its_connections_once_however_many_sessions_it_left()
    {
        var (mine, other) = (await HostAsync(), await HostAsync());
        var (first, second) = (NewKey(), NewKey());
        await OpenAsync(first, mine.Host);
        await OpenAsync(second, mine.Host);
        await CutLockAsync(mine.Host);
        Assert.Equal(other.Host.Location, await other.Registry.ClaimAsync(first, other.Host, default));
        await using var registering = await OpenNewAsync(processes[0]);

        Assert.Equal(other.Host.Location, await other.Registry.ClaimAsync(second, other.Host, default));

        await ExecuteAsync(registering, "SELECT $1", 1);
    }

    [Fact]
    public async Task What_a_process_left_under_way_that_came_back_and_hung_anew_is_ended_all_the_same()
    {
        var (mine, other) = (await HostAsync(), await HostAsync());
        var (first, second) = (NewKey(), NewKey());
        await OpenAsync(first, mine.Host);
        await OpenAsync(second, mine.Host);
        await CutLockAsync(mine.Host);
        Assert.Equal(other.Host.Location, await other.Registry.ClaimAsync(first, other.Host, default));
        await CutLockAsync(await RegisterAsync(mine.Registry));
        await using var frozen = await OpenNewAsync(processes[0]);
        await using var transaction = await frozen.BeginTransactionAsync();
        await ExecuteAsync(frozen, "UPDATE session_head SET seq = seq WHERE session = $1", second.Session.Value);
        await ExecuteAsync("UPDATE session_host SET connections_ended_at = connections_ended_at - time_to_live WHERE id = $1", mine.Host);

        Assert.Equal(other.Host.Location, await other.Registry.ClaimAsync(second, other.Host, default).AsTask().WaitAsync(Bound));
    }

    [Fact]
    public async Task A_host_that_is_cut_off_has_stopped_when_another_takes_its_session()
    {
        await using var network = PostgresBehindProxy.Before(postgres.ConnectionString);
        var cut = NewProcess(network.Through(postgres.ConnectionString), ShortLife);
        var mine = await cut.RegisterAsync(new(new("http://127.0.0.1:1/")), default);
        var other = await HostAsync();
        var key = NewKey();
        var lease = await OpenAsync(key, mine);

        network.BlackHole(Direction.ToClient);

        await Eventually.HoldsAsync(async () => await other.Registry.ClaimAsync(key, other.Host, default) == other.Host.Location, "that another takes the session over");

        Assert.NotNull(mine.Loss);
        Assert.False(await Journal.AppendAsync(lease, new(1, default, 0, TimeProvider.System.GetUtcNow(), null, null), default));
        network.Heal();
        await mine.DisposeAsync();
    }

    [Fact]
    public async Task Who_listened_while_the_connection_was_cut_is_told_to_look_once_it_is_back_and_hears_again()
    {
        var (mine, other) = (await HostAsync(), await HostAsync());
        var key = NewKey();
        using (var first = other.Registry.Listen(key)) await first.Opened.WaitAsync(Eventually.Bound);
        using var listener = other.Registry.Listen(key);

        await using (var connection = await Observer.Owner.OpenConnectionAsync())
            await ExecuteAsync(connection, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND query = $1", "LISTEN coordinator_openings");
        await listener.Opened.WaitAsync(Eventually.Bound);

        using var again = other.Registry.Listen(key);
        mine.Host.Tell(key);
        await again.Opened.WaitAsync(Eventually.Bound);
    }

    [Fact]
    public async Task A_host_that_hangs_is_found_though_the_databases_clock_has_gone_back_behind_its_last_beat()
    {
        var (mine, other) = (await HostAsync(timeToLive: ShortLife), await HostAsync());
        var key = NewKey();
        await OpenAsync(key, mine.Host);
        await HangUntilLostAsync(mine.Host);
        await ExecuteAsync("UPDATE session_host SET beat = now() + interval '1 day' WHERE id = $1", mine.Host);

        Assert.True(await other.Registry.IsAliveAsync(mine.Host.Location.Id, default));
        await Eventually.HoldsAsync(async () => !await other.Registry.IsAliveAsync(mine.Host.Location.Id, default), "that the host is taken for dead");

        Assert.Equal(other.Host.Location, await other.Registry.ClaimAsync(key, other.Host, default));
    }

    [Fact]
    public async Task A_host_goes_on_being_heard()
    {
        var (_, host) = await HostAsync(timeToLive: BriskLife);
        var first = await BeatOfAsync(host);

        await Eventually.HoldsAsync(async () => await BeatOfAsync(host) > first, "a beat");

        Assert.Null(host.Loss);
    }

    [Fact]
    public async Task A_host_goes_on_being_heard_while_a_claim_of_its_own_waits_for_a_session_that_somebody_holds()
    {
        var registry = NewProcess(Patient, BriskLife);
        var host = await RegisterAsync(registry);
        var key = await FreeAsync(host);
        await using var watch = new JournalWatch(postgres.ConnectionString);
        await using var held = await watch.HoldAsync(key.Session.ToString());
        var claim = registry.ClaimAsync(key, host, default).AsTask();
        await Eventually.HoldsAsync(() => watch.SomebodyWaitsAsync(held), "the claim to wait");
        var last = await BeatOfAsync(host);

        await Eventually.HoldsAsync(async () => await BeatOfAsync(host) > last, "a beat");
        Assert.Null(host.Loss);

        await held.DisposeAsync();
        Assert.Equal(host.Location, await Eventually.ComesAsync(claim, "the claim"));
    }

    [Fact]
    public async Task Claims_of_many_sessions_that_somebody_holds_leave_the_host_its_connections()
    {
        var registry = NewProcess(Patient, BriskLife);
        var host = await RegisterAsync(registry);
        List<SessionKey> keys = [];
        for (var i = 0; i < 30; i++) keys.Add(await FreeAsync(host));
        await using var outside = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(postgres.ConnectionString) { Options = "-c coordinator.scope=system", Pooling = false });
        var holder = await outside.OpenConnectionAsync();
        await using var transaction = await holder.BeginTransactionAsync();
        foreach (var key in keys) await ExecuteAsync(holder, "SELECT 1 FROM session_head WHERE session = $1 FOR UPDATE", key.Session.Value);

        var claims = keys.ConvertAll(key => registry.ClaimAsync(key, host, default).AsTask());

        Assert.True(await Eventually.ComesAsync(registry.IsAliveAsync(host.Location.Id, default).AsTask(), "an answer"));
        Assert.Equal(host.Location, await Eventually.ComesAsync(registry.ClaimAsync(await FreeAsync(host), host, default).AsTask(), "the claim of another"));
        Assert.All(claims, claim => Assert.False(claim.IsCompleted));
        await holder.DisposeAsync();
        Assert.All(await Eventually.ComesAsync(Task.WhenAll(claims), "the claims"), location => Assert.Equal(host.Location, location));
    }

    [Fact]
    public async Task A_host_that_is_none_any_more_ends_its_claims_and_holds_up_nobody_who_takes_over_from_it()
    {
        var (mine, other) = (NewProcess(Patient, LongLife), NewProcess(Patient, LongLife));
        var (claimant, peer) = (await RegisterAsync(mine), await RegisterAsync(other));
        var (left, free) = (NewKey(), await FreeAsync(claimant));
        await OpenAsync(left, claimant);
        await using var watch = new JournalWatch(postgres.ConnectionString);
        await using var held = await watch.HoldAsync(free.Session.ToString());
        var claim = mine.ClaimAsync(free, claimant, default).AsTask();
        await Eventually.HoldsAsync(() => watch.SomebodyWaitsAsync(held), "the claim to wait");
        await RegisterAsync(mine); // whose connections nobody ends
        await CutLockAsync(claimant);

        Assert.Equal(PortFailureKind.Fenced, (await Assert.ThrowsAsync<PortException>(() => Eventually.ComesAsync(claim, "the claim"))).Kind);
        Assert.Equal(peer.Location, await Eventually.ComesAsync(other.ClaimAsync(left, peer, default).AsTask(), "the takeover"));
        Assert.Equal(true, await ScalarAsync("SELECT dead FROM session_host WHERE id = $1", claimant));
    }

    [Fact]
    public async Task A_claim_that_cannot_be_cancelled_keeps_nobody_from_hearing_that_its_host_is_none_any_more()
    {
        await using var network = PostgresBehindProxy.Before(postgres.ConnectionString);
        var registry = NewProcess($"{network.Through(postgres.ConnectionString)};Timeout=300", LongLife);
        var host = await RegisterAsync(registry);
        var key = await FreeAsync(host);
        await using var watch = new JournalWatch(postgres.ConnectionString);
        await using var held = await watch.HoldAsync(key.Session.ToString());
        using var losing = new CancellationTokenSource();
        var told = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var membership = losing.Token.Register(told.SetResult);
        var claim = registry.ClaimAsync(key, new Losing(host, losing.Token), default).AsTask();
        await Eventually.HoldsAsync(() => watch.SomebodyWaitsAsync(held), "the claim to wait");

        network.BlackHole(Direction.ToClient);
        var losingIt = Task.Run(losing.Cancel);
        await told.Task.WaitAsync(Eventually.Bound); // that the host hears of its loss

        network.Heal();
        await held.DisposeAsync();
        await losingIt.WaitAsync(Eventually.Bound);
        await Record.ExceptionAsync(() => Eventually.ComesAsync(claim, "the end of the claim"));
        Assert.True(claim.IsCompleted);
    }

    [Fact]
    public async Task A_host_whose_beat_is_late_stays_one_while_its_own_clock_says_so()
    {
        var timeToLive = TimeSpan.FromSeconds(4);
        var host = await RegisterAsync(NewProcess(postgres.ConnectionString, timeToLive, new ManualTime()));
        await using var connection = await Observer.Owner.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await ExecuteAsync(connection, "SELECT FROM session_host WHERE id = $1 FOR UPDATE", host.Location.Id.Value);

        await Eventually.HoldsAsync(
            async () => await ScalarAsync("SELECT clock_timestamp() - query_start > $2 FROM pg_stat_activity WHERE $1 = ANY (pg_blocking_pids(pid))", connection.ProcessID, timeToLive / 2) is true,
            "a beat that waits for longer than a host may be silent");
        var last = await BeatOfAsync(host);
        await transaction.RollbackAsync();

        await Eventually.HoldsAsync(async () => await BeatOfAsync(host) > last, "the beat");
        Assert.Null(host.Loss);
    }

    [Fact]
    public async Task A_host_holds_no_lock_after_it_left()
    {
        var (_, host) = await HostAsync();
        Assert.Equal(1, await LocksOfAsync(host));

        await host.DisposeAsync();

        await Eventually.HoldsAsync(async () => await LocksOfAsync(host) == 0, "the end of its lock");
    }

    [Fact]
    public async Task A_process_has_a_name_of_its_own_whatever_its_connection_string_calls_it()
    {
        var nameless = new NpgsqlConnectionStringBuilder(postgres.ConnectionString) { ApplicationName = null };
        await using var one = new PostgresSessions(nameless.ConnectionString);
        await using var two = new PostgresSessions(nameless.ConnectionString);

        Assert.NotEqual(await NameAsync(one), await NameAsync(two));
    }

    [Fact]
    public async Task Nobody_who_acts_for_a_tenant_sees_the_hosts()
    {
        await HostAsync();

        await using var look = Observer.Shared.CreateCommand("SELECT count(*) FROM session_host");
        Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, (await Assert.ThrowsAsync<PostgresException>(async () => await look.ExecuteScalarAsync())).SqlState);
    }

    private static async Task<object?> NameAsync(PostgresSessions process)
    {
        await using var command = process.System.CreateCommand("SELECT current_setting('application_name')");
        return await command.ExecuteScalarAsync();
    }

    protected override IHostRegistry NewProcess(TimeSpan? timeToLive = null) => NewProcess(postgres.ConnectionString, timeToLive ?? LongLife);

    protected override async Task CutLockAsync(IHostRegistration host)
    {
        await using var connection = await Observer.Owner.OpenConnectionAsync();
        await ExecuteAsync(connection, $"SELECT pg_terminate_backend(pid, 5000) {LockOf}", host.Location.Id.Value);
    }

    /// <summary>Its beat waits for somebody who holds its row.</summary>
    protected override async Task HangUntilLostAsync(IHostRegistration host)
    {
        await using var connection = await Observer.Owner.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await ExecuteAsync(connection, "SELECT FROM session_host WHERE id = $1 FOR UPDATE", host.Location.Id.Value);
        await LostAsync(host);
    }

    protected override async Task GoUnheardAsync(IHostRegistration host, TimeSpan timeToLive)
    {
        var seconds = (timeToLive * 0.9).TotalSeconds.ToString(System.Globalization.CultureInfo.InvariantCulture);
        await ExecuteAsync($"UPDATE session_host SET beat = now() - interval '{seconds} seconds' WHERE id = $1", host);
    }

    protected override async Task MarkDeadAsync(IHostRegistration host) => await ExecuteAsync("UPDATE session_host SET dead = true WHERE id = $1", host);

    /// <summary>For statements that wait until the test lets them.</summary>
    private string Patient => new NpgsqlConnectionStringBuilder(postgres.ConnectionString) { CommandTimeout = 300 }.ConnectionString;

    private const string LockOf = "FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 2 AND classid = host_lock_class()::oid AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND objid = (SELECT lock::oid FROM session_host WHERE id = $1)";

    /// <summary>One that the process opens by now: those in its pool may have been ended without its having noticed.</summary>
    private static async Task<NpgsqlConnection> OpenNewAsync(PostgresSessions process)
    {
        process.System.Clear();
        return await process.System.OpenConnectionAsync();
    }

    /// <summary>A session that nobody owns.</summary>
    private async Task<SessionKey> FreeAsync(IHostRegistration host)
    {
        var key = NewKey();
        await Journal.ReleaseAsync(await OpenAsync(key, host), default);
        return key;
    }

    private IHostRegistry NewProcess(string connectionString, TimeSpan timeToLive, TimeProvider? time = null)
    {
        var process = new PostgresSessions(connectionString, time ?? TimeProvider.System, ("Hosts:TimeToLive", timeToLive.ToString()));
        processes.Add(process);
        return process.Hosts;
    }

    private async Task<DateTime> BeatOfAsync(IHostRegistration host) => (DateTime)(await ScalarAsync("SELECT beat FROM session_host WHERE id = $1", host))!;

    private async Task<long> LocksOfAsync(IHostRegistration host) => (long)(await ScalarAsync($"SELECT count(*) {LockOf}", host))!;

    private Task<object?> ScalarAsync(string sql, IHostRegistration host) => ScalarAsync(sql, [host.Location.Id.Value]);

    private async Task<object?> ScalarAsync(string sql, params object[] values)
    {
        await using var command = Observer.Owner.CreateCommand(sql);
        foreach (var value in values) command.Parameters.Add(new() { Value = value });
        return await command.ExecuteScalarAsync();
    }

    private async Task ExecuteAsync(string sql, IHostRegistration host)
    {
        await using var connection = await Observer.Owner.OpenConnectionAsync();
        await ExecuteAsync(connection, sql, host.Location.Id.Value);
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, object id)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        command.Parameters.Add(new() { Value = id });
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>A registration that is lost when the test says so.</summary>
    private sealed class Losing(IHostRegistration inner, CancellationToken lost) : IHostRegistration
    {
        public HostLocation Location => inner.Location;

        public CancellationToken Lost => lost;

        public HostLoss? Loss => lost.IsCancellationRequested ? HostLoss.LockGone : null;

        public void Tell(SessionKey key) => inner.Tell(key);

        public ValueTask DisposeAsync() => inner.DisposeAsync();
    }
}
