using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Coordinator.Adapters.Postgres.Hosts;

/// <summary>
/// For a host that was given no peers: tells its operator of any other on the same database. Neither knows of the other, so each takes the
/// other's sessions whenever it is asked for them; nothing is lost, and nothing else would say why they keep starting anew.
/// </summary>
internal sealed partial class StrangerWatch(DatabaseServer server, SystemDataSource system, IDatabaseStarter starter, TimeProvider time, ILogger<StrangerWatch> logger) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(15);

    private HashSet<string> seen = new(StringComparer.Ordinal);
    private bool isTold;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (server.Embedded is not null) return; // its folder has one host at a time
        try
        {
            await starter.WhenReadyAsync(stoppingToken);
            using var timer = new PeriodicTimer(Interval, time);
            do await LookAsync(stoppingToken);
            while (await timer.WaitForNextTickAsync(stoppingToken));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            LogStopped();
        }
    }

    /// <summary>Whoever is there at two looks stays: the host that this one takes over from is gone by the second.</summary>
    internal async Task LookAsync(CancellationToken cancellationToken)
    {
        try
        {
            var there = await FindAsync(cancellationToken);
            var staying = there.Count(seen.Contains);
            if (staying > 0 && !isTold) LogStrangers(staying);
            if (staying == 0 && isTold) LogAlone();
            (seen, isTold) = (there, staying > 0);
        }
        catch (Exception failure) when (DatabaseFailure.IsOne(failure))
        {
            LogUnseen(failure); // the next look is soon
        }
        catch (Exception failure) when (failure is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            LogFailed(failure);
        }
    }

    private async Task<HashSet<string>> FindAsync(CancellationToken cancellationToken)
    {
        await using var command = system.Source.CreateCommand(
            $"SELECT DISTINCT application_name FROM pg_stat_activity WHERE datname = current_database() AND application_name ~ '{DatabaseServer.NameOfHosts}' AND application_name <> $1");
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = system.Name });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var found = new HashSet<string>(StringComparer.Ordinal);
        while (await reader.ReadAsync(cancellationToken)) found.Add(reader.GetString(0));
        return found;
    }

    [LoggerMessage(2181, LogLevel.Warning, "{Count} other hosts use this database, and this one was given no address for its peers: they take sessions from each other. Set Cluster:Address at every host, or stop all but one.")]
    private partial void LogStrangers(int count);

    [LoggerMessage(2182, LogLevel.Information, "No other host uses this database any more.")]
    private partial void LogAlone();

    [LoggerMessage(2183, LogLevel.Debug, "Whether another host uses this database could not be seen; looked at again soon.")]
    private partial void LogUnseen(Exception failure);

    [LoggerMessage(2185, LogLevel.Error, "A look for other hosts ended as nobody foresaw; the next follows.")]
    private partial void LogFailed(Exception failure);

    [LoggerMessage(2184, LogLevel.Debug, "Stopped looking for other hosts.")]
    private partial void LogStopped();
}
