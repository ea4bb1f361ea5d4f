namespace Coordinator.Adapters.Postgres;

/// <summary>The database could not be brought up; the message says why and what to do.</summary>
public sealed class DatabaseStartException(string message, Exception? inner = null) : Exception(message, inner);
