using System.Text.Json;
using System.Text.Json.Serialization;
using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Coordinator.Ports.Session;

namespace Coordinator.Sandbox.Bridge;

/// <summary>Reads frames of the control plane; unknown fields and types are tolerated, nonsense is not.</summary>
internal static class HostFrameReader
{
    /// <summary>Null when the bytes are no frame: the connection speaks another language and must be closed.</summary>
    public static HostFrame? Read(ReadOnlySpan<byte> utf8)
    {
        try
        {
            var frame = JsonSerializer.Deserialize(utf8, BridgeJson.Default.WireFrame);
            return frame is null ? null : Read(frame);
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException or FormatException)
        {
            return null;
        }
    }

    private static HostFrame? Read(WireFrame frame) => frame.Type switch
    {
        "welcome" when frame is { SpoolId: { } spool, Config: { } settings, AckedN: >= 0 } => new HostFrame.Welcome(frame.Protocol, spool, frame.AckedN, Window(frame), settings),
        "welcome" => null,
        "ack" when frame.N >= 0 => new HostFrame.Ack(frame.N, Window(frame)),
        "ack" => null,
        "request" => frame.Id is { } id ? Request(id, frame) : null,
        null => null,
        _ => new HostFrame.Unknown(frame.Type),
    };

    private static HostFrame Request(string id, WireFrame frame)
    {
        if (frame.Params is not { ValueKind: JsonValueKind.Object } parameters) return new HostFrame.Unanswerable(id, "params_missing");
        try
        {
            var given = parameters.Deserialize(BridgeJson.Default.WireParams)!;
            return frame.Method switch
            {
                "prompt" when MessageId.TryParse(given.MessageId, out var message) && given is { Text: { } text, Model: { } model } =>
                    new HostFrame.Prompt(id, new PromptRequest(message, text, model, given.History)),
                "cancel" when MessageId.TryParse(given.MessageId, out var message) => new HostFrame.Cancel(id, message),
                "permission" when PermissionId.TryParse(given.PermissionId, out var permission) && given.Decision is { } decision =>
                    new HostFrame.Permission(id, permission, decision is "once" or "session", given.Note),
                "shutdown" => new HostFrame.Shutdown(id, given.Reason ?? ""),
                "prompt" or "cancel" or "permission" => new HostFrame.Unanswerable(id, "params_invalid"),
                _ => new HostFrame.Unanswerable(id, "method_unknown"),
            };
        }
        catch (JsonException)
        {
            return new HostFrame.Unanswerable(id, "params_invalid");
        }
    }

    private static BridgeWindow Window(WireFrame frame) => frame.Window ?? BridgeWindow.Default;
}

/// <summary>All fields any frame of the control plane may have.</summary>
internal sealed record WireFrame
{
    public string? Type { get; init; }

    public int Protocol { get; init; }

    public string? SpoolId { get; init; }

    public long AckedN { get; init; }

    public long N { get; init; }

    public BridgeWindow? Window { get; init; }

    public BoxSettings? Config { get; init; }

    public string? Id { get; init; }

    public string? Method { get; init; }

    public JsonElement? Params { get; init; }
}

internal sealed record WireParams
{
    public string? MessageId { get; init; }

    public string? Text { get; init; }

    public AgentModel? Model { get; init; }

    public string? History { get; init; }

    public string? PermissionId { get; init; }

    public string? Decision { get; init; }

    public string? Note { get; init; }

    public string? Reason { get; init; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true)]
[JsonSerializable(typeof(WireFrame))]
[JsonSerializable(typeof(WireParams))]
internal sealed partial class BridgeJson : JsonSerializerContext;
