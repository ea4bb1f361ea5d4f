using System.Net;
using Coordinator.Ports.Compute.DataPlane;
using Microsoft.Extensions.Options;

namespace Coordinator.Adapters.Modal;

/// <summary>Section <c>Sandbox:Modal</c>: boxes behind a Modal-compatible data plane, which is the Modal app in deploy/modal or any number of sandbox hosts.</summary>
public sealed class ModalSandboxOptions
{
    public const string Section = "Sandbox:Modal";

    /// <summary>The data planes' addresses. Several form a pool: a new session's box goes where there is most room.</summary>
    public List<string> Urls { get; } = [];

    /// <summary>Which of the data planes' keys requests are signed with.</summary>
    public string KeyId { get; set; } = string.Empty;

    /// <summary>That key's secret, at least 32 characters.</summary>
    public string Secret { get; set; } = string.Empty;

    /// <summary>Where boxes dial back to: this control plane as it is reached from the data planes. Default: <c>PublicUrl</c>, else, for data planes on this machine, the first of <c>Urls</c>.</summary>
    public string ControlPlaneUrl { get; set; } = string.Empty;

    /// <summary>A prebuilt image for boxes; empty: the data plane's own.</summary>
    public string Image { get; set; } = string.Empty;

    /// <summary>After how many seconds the data plane ends a box whatever else happens. Modal allows at most a day.</summary>
    public long TtlSeconds { get; set; } = 24 * 60 * 60;

    /// <summary>How many seconds a data plane may take to make a box.</summary>
    public int CreateSeconds { get; set; } = 45;

    /// <summary>How many seconds a data plane may take to end a box.</summary>
    public int DestroySeconds { get; set; } = 30;

    /// <summary>How many seconds a data plane may take to tell something.</summary>
    public int LookSeconds { get; set; } = 10;

    /// <summary>Speak plain HTTP with data planes that are not on this machine: who listens in then reads the boxes' tokens. Off by default.</summary>
    public bool AllowPlainHttp { get; set; }
}

/// <summary>Names every wrong setting at once.</summary>
internal sealed class ModalSandboxOptionsValidator : IValidateOptions<ModalSandboxOptions>
{
    private const int ShortestSecret = 32;

    public ValidateOptionsResult Validate(string? name, ModalSandboxOptions options)
    {
        List<string> wrong = [];
        if (options.Urls.Count == 0) wrong.Add("Urls must hold at least one data plane's address");
        foreach (var url in options.Urls) JudgeUrl(url, options.AllowPlainHttp, wrong);
        if (options.Urls.Distinct(StringComparer.OrdinalIgnoreCase).Count() < options.Urls.Count) wrong.Add("Urls must not name a data plane twice");
        if (!RequestSignature.IsKeyId(options.KeyId)) wrong.Add("KeyId must name the key: 1 to 64 letters, digits, dots, hyphens and underscores");
        if (options.Secret.Length < ShortestSecret) wrong.Add($"Secret must have at least {ShortestSecret} characters, not {options.Secret.Length}");
        if (!IsBase(options.ControlPlaneUrl)) wrong.Add($"ControlPlaneUrl (or PublicUrl) must be where boxes reach this host, an http or https address without a path, not '{options.ControlPlaneUrl}'");
        else if (IsLocal(options.ControlPlaneUrl) && !options.Urls.TrueForAll(IsLocal)) wrong.Add($"ControlPlaneUrl (or PublicUrl) must be where other machines reach this host, not '{options.ControlPlaneUrl}'");
        if (options.TtlSeconds < 60) wrong.Add($"TtlSeconds must be at least 60, not {options.TtlSeconds}");
        if (options.CreateSeconds < 1) wrong.Add($"CreateSeconds must be at least 1, not {options.CreateSeconds}");
        if (options.DestroySeconds < 1) wrong.Add($"DestroySeconds must be at least 1, not {options.DestroySeconds}");
        if (options.LookSeconds < 1) wrong.Add($"LookSeconds must be at least 1, not {options.LookSeconds}");
        return wrong.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(wrong.Select(text => $"{ModalSandboxOptions.Section}: {text}."));
    }

    private static void JudgeUrl(string text, bool allowPlain, List<string> wrong)
    {
        if (!Uri.TryCreate(text, UriKind.Absolute, out var url) || (url.Scheme != Uri.UriSchemeHttps && url.Scheme != Uri.UriSchemeHttp) || url.UserInfo.Length > 0 || url.Query.Length > 0)
            wrong.Add($"Urls must be http or https addresses, not '{text}'");
        else if (url.Scheme == Uri.UriSchemeHttp && !allowPlain && !IsThisMachine(url))
            wrong.Add($"Urls must be https beyond this machine, not '{text}' (AllowPlainHttp=true lets boxes' tokens go unencrypted)");
    }

    private static bool IsLocal(string text) => Uri.TryCreate(text, UriKind.Absolute, out var url) && IsThisMachine(url);

    private static bool IsThisMachine(Uri url) => url.IsLoopback || (IPAddress.TryParse(url.Host, out var address) && IPAddress.IsLoopback(address));

    private static bool IsBase(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var url) && (url.Scheme == Uri.UriSchemeHttps || url.Scheme == Uri.UriSchemeHttp) && url.UserInfo.Length == 0 && url.AbsolutePath == "/" && url.Query.Length == 0 && url.Port > 0;
}
