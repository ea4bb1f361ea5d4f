using System.Threading.Channels;
using Npgsql;

namespace Coordinator.Bench.Serving;

/// <summary>
/// The least that a grouped append can be while somebody waits for each row: whoever adds one is told once it is durable, and a writer
/// inserts what has gathered in one statement with a commit of its own. It knows no fence, no head, no other tenant, no bound and no failure.
/// </summary>
internal sealed class BareGroupCommit : IAsyncDisposable
{
    private readonly IReadOnlyList<Writer> writers;

    private BareGroupCommit(IReadOnlyList<Writer> writers) => this.writers = writers;

    public static async Task<BareGroupCommit> OpenAsync(NpgsqlDataSource source, int writers, CancellationToken cancellationToken)
    {
        var open = new List<Writer>();
        for (var i = 0; i < writers; i++) open.Add(new(await source.OpenConnectionAsync(cancellationToken)));
        return new(open);
    }

    /// <summary>Completes once the row is durable. What is of one session goes to one writer.</summary>
    public Task AddAsync(int session, Guid id, long version, byte[] payload) => writers[session % writers.Count].AddAsync(new(id, version, payload));

    public async ValueTask DisposeAsync()
    {
        foreach (var writer in writers) await writer.DisposeAsync();
    }

    private sealed record Row(Guid Session, long Version, byte[] Payload)
    {
        public TaskCompletionSource Durable { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    private sealed class Writer : IAsyncDisposable
    {
        /// <summary>How often those who were just told go first before a group is written that is smaller than the last: as the journal does.</summary>
        private const int Turns = 16;

        private readonly Channel<Row> queue = Channel.CreateUnbounded<Row>();
        private readonly BareInsert insert;
        private readonly Task running;

        public Writer(NpgsqlConnection connection)
        {
            insert = new(connection);
            running = Task.Run(RunAsync);
        }

        public Task AddAsync(Row row) => queue.Writer.TryWrite(row) ? row.Durable.Task : throw new InvalidOperationException("The writer has ended.");

        public async ValueTask DisposeAsync()
        {
            queue.Writer.Complete();
            await running;
            await insert.DisposeAsync();
        }

        private async Task RunAsync()
        {
            var group = new List<Row>();
            while (await queue.Reader.WaitToReadAsync())
            {
                for (var turn = 0; turn < Turns && queue.Reader.Count < group.Count; turn++) await Task.Yield();
                group.Clear();
                while (queue.Reader.TryRead(out var row)) group.Add(row);
                try
                {
                    await insert.WriteAsync([.. group.Select(row => row.Session)], [.. group.Select(row => row.Version)], [.. group.Select(row => row.Payload)], CancellationToken.None);
                    foreach (var row in group) row.Durable.SetResult();
                }
                catch (NpgsqlException failure)
                {
                    foreach (var row in group) row.Durable.SetException(failure);
                }
            }
        }
    }
}
