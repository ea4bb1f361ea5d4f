using System.Text.RegularExpressions;

namespace Coordinator.Adapters.DirectModels.Providers;

/// <summary>What names providers, models and their secrets may have.</summary>
internal static partial class ProviderNames
{
    /// <summary>Where the secrets of all providers live.</summary>
    public const string SecretPrefix = "models/";

    private const int LongestModel = 200;

    public static string SecretOf(string provider) => SecretPrefix + provider;

    public static bool IsProvider(string name) => Provider().IsMatch(name);

    /// <summary>Splits <c>provider/model</c> at the first slash; false when either part is missing or has characters no model has.</summary>
    public static bool TrySplit(string model, out string provider, out string upstreamModel)
    {
        var slash = model.IndexOf('/', StringComparison.Ordinal);
        provider = slash > 0 ? model[..slash] : string.Empty;
        upstreamModel = slash > 0 ? model[(slash + 1)..] : string.Empty;
        return IsProvider(provider) && upstreamModel.Length is > 0 and <= LongestModel && !upstreamModel.Any(c => char.IsControl(c) || char.IsWhiteSpace(c));
    }

    [GeneratedRegex("^[a-z0-9][a-z0-9_-]{0,62}$", RegexOptions.CultureInvariant)]
    private static partial Regex Provider();
}
