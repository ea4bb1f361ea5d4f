using Coordinator.Ports;
using Npgsql;

namespace Coordinator.Adapters.Postgres;

/// <summary>
/// Makes a call that may be made twice again while the database is away, as long as the outage is short: an embedded
/// server that was killed is back within a second, and nobody has to notice.
/// </summary>
internal sealed class DatabasePatience(NpgsqlDataSource source, TimeSpan limit, TimeProvider time)
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(500);

    /// <exception cref="PortException">It failed for good, or still when patience was out.</exception>
    public async Task<T> RunAsync<T>(string doing, Func<CancellationToken, Task<T>> call, CancellationToken cancellationToken)
    {
        var (started, pause) = (time.GetTimestamp(), FirstPause);
        while (true)
        {
            try
            {
                return await call(cancellationToken);
            }
            catch (Exception failure) when (DatabaseFailure.IsOne(failure))
            {
                DatabaseFailure.LeaveIfReadOnly(source, failure);
                if (!DatabaseFailure.MayPass(failure) || time.GetElapsedTime(started) + pause > limit) throw DatabaseFailure.ToPort(failure, doing);
            }

            await Task.Delay(pause, time, cancellationToken);
            pause = TimeSpan.FromTicks(Math.Min(pause.Ticks * 2, LongestPause.Ticks));
        }
    }

    /// <inheritdoc cref="RunAsync{T}(string, Func{CancellationToken, Task{T}}, CancellationToken)"/>
    public async Task RunAsync(string doing, Func<CancellationToken, Task> call, CancellationToken cancellationToken) =>
        await RunAsync(
            doing,
            async token =>
            {
                await call(token);
                return true;
            },
            cancellationToken);
}
