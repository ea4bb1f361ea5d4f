using Npgsql;

namespace Coordinator.Adapters.Postgres;

/// <summary>
/// The pool that acts for the host over all organizations (appends, alarms, sweeps). A type of its own, so that nothing
/// gets it by asking for a data source.
/// </summary>
internal sealed class SystemDataSource(NpgsqlDataSource source) : IAsyncDisposable, IDisposable
{
    public NpgsqlDataSource Source { get; } = source;

    public ValueTask DisposeAsync() => Source.DisposeAsync();

    public void Dispose() => Source.Dispose();
}
