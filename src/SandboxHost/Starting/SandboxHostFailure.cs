using System.Text;
using Coordinator.Ports;
using Microsoft.Extensions.Options;

namespace Coordinator.SandboxHost.Starting;

/// <summary>What the console and the exit code say of a program that could not start.</summary>
internal sealed record SandboxHostFailure(string Text, int ExitCode)
{
    private const int Failed = 1;

    /// <summary><c>EX_CONFIG</c>: starting it again changes nothing.</summary>
    private const int Misconfigured = 78;

    /// <summary>The failures a person can do something about; null for those that are bugs.</summary>
    public static SandboxHostFailure? Explain(Exception failure) => failure switch
    {
        OptionsValidationException options => Wrong(options.Failures),
        AggregateException several when several.InnerExceptions.All(one => one is OptionsValidationException) =>
            Wrong(several.InnerExceptions.Cast<OptionsValidationException>().SelectMany(one => one.Failures)),
        SandboxHostMisconfiguredException wrong => Wrong([wrong.Message]),
        PortException { Kind: PortFailureKind.Rejected } refused => Wrong([refused.Message]),
        PortException failed => new($"The sandbox host cannot start: {failed.Message}", Failed),
        IOException cannot => new($"The sandbox host cannot listen or write: {cannot.Message}", Failed),
        _ => null,
    };

    private static SandboxHostFailure Wrong(IEnumerable<string> failures)
    {
        var text = new StringBuilder("The configuration is wrong:");
        foreach (var line in failures.Distinct(StringComparer.Ordinal)) text.Append("\n  - ").Append(line);
        return new(text.ToString(), Misconfigured);
    }
}

/// <summary>A setting that no options class can judge alone is wrong.</summary>
internal sealed class SandboxHostMisconfiguredException(string message) : Exception(message);
