namespace Coordinator.Adapters.Postgres;

/// <summary>The database's schema and this program's migrations do not fit together; the message names the file.</summary>
internal sealed class MigrationException(string message, Exception? inner = null) : Exception(message, inner);
