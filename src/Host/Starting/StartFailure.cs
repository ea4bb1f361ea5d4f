using System.Net.Sockets;
using System.Text;
using Coordinator.Ports;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Options;

namespace Coordinator.Host.Starting;

/// <summary>What the console and the exit code say of a host that could not start.</summary>
internal sealed record StartFailure(string Text, int ExitCode)
{
    /// <summary>The failures a person can do something about; null for those that are bugs.</summary>
    public static StartFailure? Explain(Exception failure) => failure switch
    {
        OptionsValidationException options => Misconfigured(options.Failures),
        AggregateException several when several.InnerExceptions.All(one => one is OptionsValidationException) =>
            Misconfigured(several.InnerExceptions.Cast<OptionsValidationException>().SelectMany(one => one.Failures)),
        HostMisconfiguredException wrong => Misconfigured([wrong.Message]),
        PortException { Kind: PortFailureKind.Rejected } refused => Misconfigured([refused.Message]),
        AddressInUseException or IOException { InnerException: AddressInUseException } => new($"The host cannot listen: {failure.Message} Stop what listens there, or set Urls to another address.", ExitCodes.Failed),
        SocketException { SocketErrorCode: SocketError.AddressAlreadyInUse or SocketError.AccessDenied } => new($"The host cannot listen: {failure.Message}. Set Urls to another address.", ExitCodes.Failed),
        _ => null,
    };

    private static StartFailure Misconfigured(IEnumerable<string> failures)
    {
        var text = new StringBuilder("The configuration is wrong:");
        foreach (var line in failures.Distinct(StringComparer.Ordinal)) text.Append("\n  - ").Append(line);
        return new(text.ToString(), ExitCodes.Misconfigured);
    }
}

/// <summary>A setting that has no options class of its own is wrong.</summary>
internal sealed class HostMisconfiguredException(string message) : Exception(message);
