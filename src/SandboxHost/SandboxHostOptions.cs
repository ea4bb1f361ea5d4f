using Coordinator.Ports.Compute.DataPlane;
using Microsoft.Extensions.Options;

namespace Coordinator.SandboxHost;

/// <summary>Section <c>SandboxHost</c>: the program that offers this machine's boxes to control planes elsewhere. Boxes themselves are set up by <c>Sandbox:Local</c>.</summary>
public sealed class SandboxHostOptions
{
    public const string Section = "SandboxHost";

    /// <summary>Where control planes reach it; several separated by <c>;</c>. Put TLS in front of anything but loopback.</summary>
    public string Urls { get; set; } = "http://127.0.0.1:8790";

    /// <summary>The folder of everything it keeps: creates, nonces, and <c>sandboxes</c> unless <c>Sandbox:Local:DataDirectory</c> says otherwise.</summary>
    public string DataDirectory { get; set; } = "data/sandbox-host";

    /// <summary>The secrets that requests may be signed with, by key id; at least 32 characters each. Two during a rotation.</summary>
    public Dictionary<string, string> Keys { get; } = new(StringComparer.Ordinal);

    /// <summary>The longest a box may live, in seconds, whatever its create asks for.</summary>
    public long LongestTtlSeconds { get; set; } = 7 * 24 * 60 * 60;

    /// <summary>Connections of boxes to their control planes that may be open at once.</summary>
    public int MaxRelayed { get; set; } = 4096;
}

/// <summary>Names every wrong setting at once.</summary>
internal sealed class SandboxHostOptionsValidator : IValidateOptions<SandboxHostOptions>
{
    private const int ShortestSecret = 32;

    public ValidateOptionsResult Validate(string? name, SandboxHostOptions options)
    {
        List<string> wrong = [];
        if (options.Keys.Count == 0) wrong.Add("Keys must hold at least one key (SandboxHost__Keys__<id>=<secret of at least 32 characters>)");
        foreach (var (id, secret) in options.Keys)
        {
            if (!RequestSignature.IsKeyId(id)) wrong.Add($"Keys:{id} must be named by 1 to 64 letters, digits, dots, hyphens and underscores");
            if (secret.Length < ShortestSecret) wrong.Add($"Keys:{id} must have at least {ShortestSecret} characters, not {secret.Length}");
        }

        if (options.DataDirectory.Length == 0) wrong.Add("DataDirectory must not be empty");
        if (options.LongestTtlSeconds < 60) wrong.Add($"LongestTtlSeconds must be at least 60, not {options.LongestTtlSeconds}");
        if (options.MaxRelayed < 1) wrong.Add($"MaxRelayed must be at least 1, not {options.MaxRelayed}");
        foreach (var url in ListenAddress.Split(options.Urls).DefaultIfEmpty(string.Empty))
        {
            if (!url.StartsWith("http://", StringComparison.Ordinal) || !ListenAddress.IsOne(url)) wrong.Add($"Urls must be http:// addresses (TLS is for the proxy in front), not '{url}'");
        }

        return wrong.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(wrong.Select(text => $"{SandboxHostOptions.Section}: {text}."));
    }
}
