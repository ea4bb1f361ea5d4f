using System.Globalization;
using System.Runtime.ExceptionServices;
using System.Threading.Channels;
using Npgsql;

namespace Coordinator.Adapters.Postgres;

/// <summary>
/// Statements that change a session's head wait in the server while somebody holds its row, each on a connection of its own: those of a dozen
/// sessions would have all of the host's, and appends, alarms and claims of every other session would wait for one. So each looks for a moment,
/// and who finds its row held waits here; only <see cref="AtOnce"/> of them wait in the server at a time, by turns.
/// </summary>
/// <param name="turn">How long one waits in the server at a time.</param>
/// <param name="patience">How long one waits in all.</param>
internal sealed class HeldHeads(TimeSpan turn, TimeSpan patience, TimeProvider time)
{
    /// <summary>The connections that may wait for rows.</summary>
    public const int AtOnce = 2;

    /// <summary>Longer than a statement has a row that is on its way to commit.</summary>
    private static readonly TimeSpan Glance = TimeSpan.FromMilliseconds(20);

    private readonly Channel<bool> turns = FreeTurns();

    /// <summary>
    /// Makes a call, again and again while somebody holds the row and patience lasts. It is given how long its statement is to wait for a lock,
    /// to be set for its own transaction: <c>set_config('lock_timeout', …, true)</c>, in a CTE that the change reads from, so that it comes first.
    /// </summary>
    /// <exception cref="PostgresException">55P03, when the row is still held; whatever else the call throws.</exception>
    public async Task<T> ChangeAsync<T>(Func<string, CancellationToken, Task<T>> call, CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        ExceptionDispatchInfo held;
        try
        {
            return await call(Words(Glance), cancellationToken);
        }
        catch (PostgresException failure) when (DatabaseFailure.IsOfLock(failure))
        {
            held = ExceptionDispatchInfo.Capture(failure);
        }

        using var limit = new CancellationTokenSource(patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        while (patience - time.GetElapsedTime(began) is var left && left > TimeSpan.Zero && await HasTurnAsync(either.Token, cancellationToken))
        {
            try
            {
                return await call(Words(left < turn ? left : turn), cancellationToken);
            }
            catch (PostgresException failure) when (DatabaseFailure.IsOfLock(failure))
            {
                held = ExceptionDispatchInfo.Capture(failure);
            }
            finally
            {
                turns.Writer.TryWrite(true);
            }
        }

        held.Throw();
        throw new System.Diagnostics.UnreachableException();
    }

    /// <summary>False when patience ended before.</summary>
    private async Task<bool> HasTurnAsync(CancellationToken either, CancellationToken cancellationToken)
    {
        try
        {
            return await turns.Reader.ReadAsync(either);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return false;
        }
    }

    /// <summary>Holds one for each turn that nobody has.</summary>
    private static Channel<bool> FreeTurns()
    {
        var turns = Channel.CreateBounded<bool>(AtOnce);
        for (var i = 0; i < AtOnce; i++) turns.Writer.TryWrite(true);
        return turns;
    }

    private static string Words(TimeSpan wait) => string.Create(CultureInfo.InvariantCulture, $"{Math.Max(1, (int)wait.TotalMilliseconds)}ms");
}
