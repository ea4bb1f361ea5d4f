using Coordinator.Adapters.Postgres.Journal;
using Npgsql;

namespace Coordinator.Adapters.Postgres;

/// <summary>
/// The pool that acts for the host over all organizations (appends, alarms, sweeps). A type of its own, so that nothing
/// gets it by asking for a data source.
/// </summary>
internal sealed class SystemDataSource(NpgsqlDataSource source, string name, HeldHeads heads, JournalRoom room) : IAsyncDisposable, IDisposable
{
    public NpgsqlDataSource Source { get; } = source;

    /// <summary>The <c>application_name</c> of its connections, of this process alone: by it a peer ends them when this host is dead.</summary>
    public string Name { get; } = name;

    /// <summary>The turns of those of its statements that change heads which somebody holds.</summary>
    public HeldHeads Heads { get; } = heads;

    /// <summary>Whether what is appended over it finds room.</summary>
    public JournalRoom Room { get; } = room;

    public ValueTask DisposeAsync() => Source.DisposeAsync();

    public void Dispose() => Source.Dispose();
}
