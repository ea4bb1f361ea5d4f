using System.Text;
using Coordinator.Ports;
using Coordinator.Ports.Session;
using Coordinator.Tests.Conformance.Postgres;
using Coordinator.Tests.Support;
using Coordinator.Tests.Support.Network;
using Npgsql;
using Xunit;

namespace Coordinator.Tests.Conformance.SessionJournal;

/// <summary>A journal of one writer with little patience, behind a network that misbehaves when it is told to, and the database itself.</summary>
public abstract class PostgresJournalFaults : IAsyncLifetime
{
    protected static readonly DateTimeOffset Noon = new(2026, 3, 4, 12, 0, 0, TimeSpan.Zero);

    private readonly PostgresFixture fixture = new();
    private FaultProxy? proxy;
    private PostgresSessions? behindProxy;
    private PostgresSessions? direct;

    protected FaultProxy Proxy => proxy!;

    private protected PostgresSessions Direct => direct!;

    protected string ConnectionString => fixture.ConnectionString;

    /// <summary>The database that the journal under test has.</summary>
    protected string Database => new NpgsqlConnectionStringBuilder(ConnectionString).Database!;

    /// <summary>A row is waited for until a test lets it go, unless the tests are about that.</summary>
    protected virtual (string Key, string Value)[] Settings => [("Journal:RowPatience", "00:01:00")];

    protected ISessionJournal Journal => behindProxy!.Journal;

    public async Task InitializeAsync()
    {
        await fixture.InitializeAsync();
        proxy = PostgresBehindProxy.Before(fixture.ConnectionString);
        behindProxy = new(
            proxy.Through(fixture.ConnectionString),
            [("Journal:Writers", "1"), ("Journal:OutagePatience", "00:00:01.5"), ("Journal:AppendBytes", "200000"), ("Journal:PendingBytes", "200000"), .. Settings]);
        direct = new(fixture.ConnectionString);
    }

    public async Task DisposeAsync()
    {
        await behindProxy!.DisposeAsync();
        await direct!.DisposeAsync();
        await proxy!.DisposeAsync();
        await fixture.DisposeAsync();
    }

    protected async Task<JournalLease> CreateAsync()
    {
        var key = new SessionKey(OrganizationId.New(TimeProvider.System), SessionId.New(TimeProvider.System));
        return (await Journal.OpenAsync(key, HostId.New(TimeProvider.System), create: true, default))!;
    }

    protected async Task<bool> AppendAsync(JournalLease lease, long expected, string payload = "{}", CancellationToken cancellationToken = default) =>
        await Journal.AppendAsync(lease, new(expected, Encoding.UTF8.GetBytes(payload), 1, Noon, null, null), cancellationToken);

    /// <summary>Holds a session's row until disposed, so that the statement that writes it stands still.</summary>
    protected Task<NpgsqlConnection> BlockAsync(SessionKey key, string table = "session_head") => HoldAsync($"SELECT 1 FROM {table} WHERE session = '{key.Session.Value}' FOR UPDATE");

    /// <summary>Holds what a statement locks until disposed.</summary>
    protected async Task<NpgsqlConnection> HoldAsync(string sql)
    {
        var connection = await direct!.Owner.OpenConnectionAsync();
        await using var command = new NpgsqlCommand($"BEGIN; {sql}", connection);
        await command.ExecuteNonQueryAsync();
        return connection;
    }

    protected async Task<int> WaitForBlockedStatementAsync()
    {
        List<int> blocked = [];
        await EmbeddedServerFolder.UntilAsync("a statement waits for the row", async () => (blocked = await BlockedAsync()).Count > 0);
        return blocked[0];
    }

    protected async Task<List<int>> BlockedAsync()
    {
        await using var command = direct!.Owner.CreateCommand("SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND pid <> pg_backend_pid()");
        await using var reader = await command.ExecuteReaderAsync();
        var blocked = new List<int>();
        while (await reader.ReadAsync()) blocked.Add(reader.GetInt32(0));
        return blocked;
    }

    /// <summary>While the statement of another session is held, these gather: they go into one group.</summary>
    protected async Task<Task<bool>[]> InOneGroupAsync(Func<Task<bool>[]> begin)
    {
        var first = await CreateAsync();
        await using var blocker = await BlockAsync(first.Key);
        var held = AppendAsync(first, 0);
        await WaitForBlockedStatementAsync();
        var appends = begin();
        await blocker.DisposeAsync();
        Assert.True(await held);
        return appends;
    }

    protected async Task ExecuteAsync(string sql)
    {
        await using var command = direct!.Owner.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }
}
