using Coordinator.Ports.Compute;

namespace Coordinator.Adapters.DirectModels.Providers;

/// <summary>A provider as an organization describes it in its secret.</summary>
internal sealed record CustomProvider(Uri? BaseUrl, string? ApiKey, ModelWire? Wire)
{
    /// <summary>What to put into the secret, for people.</summary>
    public const string Example = """{"baseUrl":"https://…/v1","apiKey":"…","wire":"openAiChat"}""";

    /// <summary>Never prints the key.</summary>
    public override string ToString() => $"custom provider at {BaseUrl}";
}
