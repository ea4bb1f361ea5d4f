namespace Coordinator.Adapters.Postgres;

/// <summary>
/// The database could not be brought up; the message says why and what to do. <see cref="MayPass"/>: trying again can
/// help without anybody doing anything.
/// </summary>
internal sealed class DatabaseStartException(string message, Exception? inner = null, bool mayPass = false) : Exception(message, inner)
{
    public bool MayPass { get; } = mayPass;
}
