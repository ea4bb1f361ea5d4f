using Coordinator.Bench.Serving;
using Coordinator.Ports;
using Npgsql;

namespace Coordinator.Bench.Driving;

/// <summary>Calls a bare store that was started for it, and puts rows there beforehand without asking it.</summary>
internal sealed class StoreCaller : IAsyncDisposable
{
    private const int Group = 1_000;

    private readonly NpgsqlDataSource database;
    private readonly TimeProvider time;

    private StoreCaller(HostProcess process, NpgsqlDataSource database, TimeProvider time) => (Process, this.database, this.time) = (process, database, time);

    public HostProcess Process { get; }

    public static async Task<StoreCaller> StartAsync(TimeProvider time, CancellationToken cancellationToken)
    {
        var process = await HostProcess.StartRoleAsync("store");
        return new(process, await Administration.OpenAsync(process, cancellationToken), time);
    }

    /// <summary>Rows of one id, in their order; the id.</summary>
    public async Task<Guid> FillAsync(IReadOnlyList<byte[]> payloads, CancellationToken cancellationToken)
    {
        var id = SessionId.New(time).Value;
        await WriteAsync([.. payloads.Select((payload, i) => (id, (long)i, payload))], cancellationToken);
        return id;
    }

    /// <summary>So many rows of an id each; the ids.</summary>
    public async Task<Guid[]> FillAsync(int count, CancellationToken cancellationToken)
    {
        var ids = Enumerable.Range(0, count).Select(_ => SessionId.New(time).Value).ToArray();
        await WriteAsync([.. ids.Select(id => (id, 0L, SampleRecord.Bytes))], cancellationToken);
        return ids;
    }

    /// <summary>A row, durable once it has answered.</summary>
    public static Task AddAsync(HttpClient http, CancellationToken cancellationToken) => PostAsync(http, "/rows", cancellationToken);

    /// <summary>A look at the row and then one more.</summary>
    public static Task LookAndAddAsync(HttpClient http, Guid id, CancellationToken cancellationToken) => PostAsync(http, $"/rows/{id}", cancellationToken);

    /// <summary>All rows of the id, from the handshake to the one that has the sequence number.</summary>
    public async Task ReadAsync(Guid id, long seq, CancellationToken cancellationToken)
    {
        using var watcher = new SessionWatcher(await FrameSocket.ConnectAsync(Process.Url, $"/rows/{id}", null, null, cancellationToken));
        await watcher.UntilSeqAsync(seq, cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        await database.DisposeAsync();
        await Process.DisposeAsync();
    }

    private async Task WriteAsync(IReadOnlyList<(Guid Id, long Version, byte[] Payload)> rows, CancellationToken cancellationToken)
    {
        await using (var insert = new BareInsert(await database.OpenConnectionAsync(cancellationToken)))
            foreach (var group in rows.Chunk(Group))
                await insert.WriteAsync([.. group.Select(row => row.Id)], [.. group.Select(row => row.Version)], [.. group.Select(row => row.Payload)], cancellationToken);
        await Administration.SettleAsync(database, cancellationToken);
    }

    private static async Task PostAsync(HttpClient http, string path, CancellationToken cancellationToken)
    {
        using var content = new ByteArrayContent(SampleRecord.Bytes);
        using var answer = await http.PostAsync(path, content, cancellationToken);
        answer.EnsureSuccessStatusCode();
    }
}
