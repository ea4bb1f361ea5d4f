using System.Text.Json;

namespace Coordinator.Adapters.Acp.Connection;

/// <summary>The agent answered a call with an error, or not at all (then <see cref="Error"/> is null).</summary>
internal sealed class AcpCallException(string message, JsonElement? error = null, Exception? inner = null) : Exception(message, inner)
{
    public JsonElement? Error { get; } = error;
}
