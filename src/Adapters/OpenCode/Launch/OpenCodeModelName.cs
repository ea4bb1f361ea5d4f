using Coordinator.Ports.Compute;

namespace Coordinator.Adapters.OpenCode.Launch;

/// <summary>
/// A model's address inside OpenCode. The provider's id there is ours, one per provider and wire: a well-known id such
/// as <c>openai</c> would bring the catalogue's own loader along, which chooses another wire than the one asked for.
/// </summary>
public sealed record OpenCodeModelName(string ProviderId, string ModelId)
{
    public static OpenCodeModelName Of(AgentModel model) => new($"coordinator-{model.Provider}-{WireName(model.Wire)}", model.Model);

    /// <summary>The SDK, bundled in OpenCode's binary, that speaks the wire.</summary>
    internal static string Package(ModelWire wire) => wire switch
    {
        ModelWire.OpenAiChat => "@ai-sdk/openai-compatible",
        ModelWire.OpenAiResponses => "@ai-sdk/openai",
        ModelWire.AnthropicMessages => "@ai-sdk/anthropic",
        _ => throw new ArgumentOutOfRangeException(nameof(wire), wire, "Unknown wire."),
    };

    public override string ToString() => $"{ProviderId}/{ModelId}";

    private static string WireName(ModelWire wire) => wire switch
    {
        ModelWire.OpenAiChat => "chat",
        ModelWire.OpenAiResponses => "responses",
        ModelWire.AnthropicMessages => "messages",
        _ => throw new ArgumentOutOfRangeException(nameof(wire), wire, "Unknown wire."),
    };
}
