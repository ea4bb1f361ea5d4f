using Coordinator.Ports;
using Microsoft.Extensions.Options;

namespace Coordinator.Modules.Sandboxes.Egress;

/// <summary>Section <c>Sandbox:Egress</c>: where boxes may connect to.</summary>
public sealed class EgressOptions
{
    public const string Section = "Sandbox:Egress";

    /// <summary>Host names allowed beside the defaults (<see cref="EgressDefaults"/>): <c>example.com</c>, <c>*.example.com</c>, or <c>*</c> for any public host.</summary>
    public List<string> AllowedHosts { get; } = [];

    /// <summary>Only <see cref="AllowedHosts"/>, and none of the defaults.</summary>
    public bool WithoutDefaults { get; set; }

    /// <summary>What one organization's boxes may reach beside that, by the organization's id.</summary>
    public Dictionary<string, List<string>> Organizations { get; } = new(StringComparer.Ordinal);

    /// <summary>
    /// What is allowed although it is not public (<see cref="AddressExceptions"/>): <c>git.corp.example:3000</c>,
    /// <c>10.1.0.0/16</c>, <c>demo.internal:8787=127.0.0.1</c>. An entry with a port also allows that host and port.
    /// </summary>
    public List<string> Exceptions { get; } = [];

    /// <summary>Connections that one box may have open at once.</summary>
    public int MaxTunnelsPerBox { get; set; } = 128;

    /// <summary>A connection on which nothing moves for so long is closed.</summary>
    public int IdleSeconds { get; set; } = 300;

    /// <summary>How long the name and the connection together may take.</summary>
    public int ConnectSeconds { get; set; } = 15;
}

/// <summary>Names every wrong setting at once.</summary>
internal sealed class EgressOptionsValidator : IValidateOptions<EgressOptions>
{
    public ValidateOptionsResult Validate(string? name, EgressOptions options)
    {
        List<string> wrong = [];
        var patterns = options.AllowedHosts.Concat(options.Organizations.Values.SelectMany(hosts => hosts));
        wrong.AddRange(patterns.Where(pattern => !HostPattern.IsValid(pattern)).Select(pattern => $"'{pattern}' is not a host name, *.name or *"));
        wrong.AddRange(options.Organizations.Keys.Where(key => !OrganizationId.TryParse(key, out _)).Select(key => $"Organizations:{key} is not an organization's id"));
        if (options.MaxTunnelsPerBox < 1) wrong.Add($"MaxTunnelsPerBox must be at least 1, not {options.MaxTunnelsPerBox}");
        if (options.IdleSeconds < 1) wrong.Add($"IdleSeconds must be at least 1, not {options.IdleSeconds}");
        if (options.ConnectSeconds < 1) wrong.Add($"ConnectSeconds must be at least 1, not {options.ConnectSeconds}");
        try
        {
            AddressExceptions.Parse(options.Exceptions);
        }
        catch (FormatException e)
        {
            wrong.Add($"Exceptions: {e.Message}");
        }

        return wrong.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(wrong.Select(text => $"{EgressOptions.Section}: {text.TrimEnd('.')}."));
    }
}
