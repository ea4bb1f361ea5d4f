using Coordinator.Adapters.Postgres.Listening;
using Coordinator.Ports;
using Coordinator.Ports.Session;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Coordinator.Adapters.Postgres.Hosts;

/// <summary>
/// Which sessions were opened, told from host to host: many in one notification, after they were opened and by a statement
/// of its own, since every notification of a database waits for every other at its commit.
/// </summary>
internal sealed partial class OpeningWakeUps(NpgsqlDataSource dataSource, TimeProvider time, ILogger logger) : WakeUps(dataSource, Channel, time, logger)
{
    private const string Channel = "coordinator_openings";

    /// <summary>A notification holds less than 8,000 bytes, and a name is 65 of them.</summary>
    private const int NamesAtOnce = 100;
    private const int MostWaiting = 10_000;
    private static readonly TimeSpan Gather = TimeSpan.FromMilliseconds(20);

    private readonly NpgsqlDataSource dataSource = dataSource;
    private readonly TimeProvider time = time;
    private readonly ILogger logger = logger;
    private readonly HashSet<SessionKey> waiting = [];
    private readonly Lock told = new();
    private Task telling = Task.CompletedTask;
    private bool isTelling;

    public IOpeningListener Listen(SessionKey key) => new Listener(Listen(NameOf(key)));

    /// <summary>Tells of it soon. What is told beyond what may wait is found by those who look.</summary>
    public void Tell(SessionKey key)
    {
        lock (told)
        {
            if (Stopping.IsCancellationRequested || waiting.Count >= MostWaiting) return;
            waiting.Add(key);
            if (isTelling) return;
            isTelling = true;
            telling = Task.Run(TellAsync);
        }
    }

    /// <inheritdoc/>
    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        Task ending;
        lock (told) ending = telling;
        await ending;
    }

    private static string NameOf(SessionKey key) => $"{key.Organization.Value:n}.{key.Session.Value:n}";

    private async Task TellAsync()
    {
        while (true)
        {
            await Task.Delay(Gather, time, Stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            SessionKey[] opened;
            lock (told)
            {
                opened = [.. waiting];
                waiting.Clear();
                isTelling = opened.Length > 0 && !Stopping.IsCancellationRequested;
                if (!isTelling) return;
            }

            foreach (var some in opened.Chunk(NamesAtOnce)) await TellAsync(string.Join(Separator, some.Select(NameOf)));
        }
    }

    private async Task TellAsync(string names)
    {
        try
        {
            await using var tell = dataSource.CreateCommand($"SELECT pg_notify('{Channel}', $1)");
            tell.Parameters.Add(new() { Value = names });
            await tell.ExecuteNonQueryAsync(Stopping);
        }
        catch (Exception failure) when (DatabaseFailure.IsOne(failure) || failure is ObjectDisposedException or OperationCanceledException)
        {
            LogUntold(DatabaseFailure.IsOne(failure) ? DatabaseFailure.ToPort(failure, "telling of opened sessions") : failure);
        }
    }

    [LoggerMessage(2176, LogLevel.Information, "Other hosts could not be told of sessions that were opened here; those who watch them look by themselves.")]
    private partial void LogUntold(Exception failure);

    private sealed class Listener(Heard heard) : IOpeningListener
    {
        public Task Opened => heard.Came;

        public void Dispose() => heard.Dispose();
    }
}
