using Microsoft.Extensions.Options;

namespace Coordinator.Modules.Tenancy;

/// <summary>How long sign-ins last; section <c>Tenancy</c>.</summary>
public sealed class TenancyOptions
{
    /// <summary>Name of the configuration section.</summary>
    public const string Section = "Tenancy";

    /// <summary>How long a browser stays signed in. Default 30 days.</summary>
    public TimeSpan BrowserSessionLifetime { get; set; } = TimeSpan.FromDays(30);

    /// <summary>How long a one-time sign-in link can be used. Default one hour.</summary>
    public TimeSpan SignInLinkLifetime { get; set; } = TimeSpan.FromHours(1);
}

/// <summary>Refuses lifetimes that nobody could sign in with, or that would hardly ever end.</summary>
internal sealed class TenancyOptionsValidator : IValidateOptions<TenancyOptions>
{
    private static readonly TimeSpan Shortest = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan LongestSession = TimeSpan.FromDays(400);
    private static readonly TimeSpan LongestLink = TimeSpan.FromDays(7);

    public ValidateOptionsResult Validate(string? name, TenancyOptions options)
    {
        var faults = new List<string>();
        if (options.BrowserSessionLifetime < Shortest || options.BrowserSessionLifetime > LongestSession)
            faults.Add($"Tenancy:BrowserSessionLifetime is {options.BrowserSessionLifetime}; it must be {Shortest} to {LongestSession}.");
        if (options.SignInLinkLifetime < Shortest || options.SignInLinkLifetime > LongestLink)
            faults.Add($"Tenancy:SignInLinkLifetime is {options.SignInLinkLifetime}; it must be {Shortest} to {LongestLink}.");
        return faults.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);
    }
}
