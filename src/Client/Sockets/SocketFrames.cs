using System.Text.Json.Serialization;

namespace Coordinator.Client;

/// <summary>What goes to the host over a session's socket (docs/protocol.md, section 3); each type uses some of the fields.</summary>
internal sealed record SocketAsk(string Type)
{
    public string? After { get; init; }

    public string? ClientId { get; init; }

    public string? Text { get; init; }

    public string? Model { get; init; }

    public string? RetryOf { get; init; }

    public string? MessageId { get; init; }
}

/// <summary>What comes; each type uses some of the fields, and those that are not needed are not read.</summary>
internal sealed record SocketFrame(string? Type)
{
    public string? Cursor { get; init; }

    public IReadOnlyList<SessionEvent>? Events { get; init; }

    public string? MessageId { get; init; }

    public int Position { get; init; }

    public long ReturnAfterMs { get; init; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(SocketAsk))]
[JsonSerializable(typeof(SocketFrame))]
internal sealed partial class SocketJson : JsonSerializerContext;
