using System.Net.Sockets;
using System.Text;
using Coordinator.Ports;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Options;

namespace Coordinator.Starting;

/// <summary>What the console and the exit code say of a program that could not start.</summary>
internal sealed record StartFailure(string Text, int ExitCode)
{
    private const string Kestrel = "Microsoft.AspNetCore.Server.Kestrel.Core";

    /// <summary>The failures a person can do something about; null for those that are bugs.</summary>
    public static StartFailure? Explain(Exception failure, StartingProgram program) => failure switch
    {
        OptionsValidationException options => Misconfigured(options.Failures),
        AggregateException several when several.InnerExceptions.All(one => one is OptionsValidationException) =>
            Misconfigured(several.InnerExceptions.Cast<OptionsValidationException>().SelectMany(one => one.Failures)),
        MisconfiguredException wrong => Misconfigured(wrong.Lines),
        InvalidDataException unreadable => Misconfigured([unreadable.InnerException is { } why ? $"{unreadable.Message} {why.Message}" : unreadable.Message]),
        PortException { Kind: PortFailureKind.Rejected } refused => Misconfigured([refused.Message]),
        PortException failed => new($"The {program.Name} cannot start: {failed.Message}", ExitCodes.Failed),
        AddressInUseException or IOException { InnerException: AddressInUseException } => new($"The {program.Name} cannot listen: {failure.Message} Stop what listens there, or set {program.Urls} to another address.", ExitCodes.Failed),
        SocketException { SocketErrorCode: SocketError.AddressAlreadyInUse or SocketError.AccessDenied } => new($"The {program.Name} cannot listen: {failure.Message}. Set {program.Urls} to another address.", ExitCodes.Failed),
        SocketException { SocketErrorCode: SocketError.AddressNotAvailable } => new($"The {program.Name} cannot listen: {failure.Message}. {program.Urls} names an address that this machine does not have.", ExitCodes.Failed),
        InvalidOperationException { Source: Kestrel } => Misconfigured([$"{program.Urls}, or the section Kestrel: {failure.Message}"]),
        IOException when FullDisk.Is(failure) => new($"The {program.Name} cannot start, for its disk is full: {failure.Message} Make room, and start it again.", ExitCodes.Failed),
        IOException or UnauthorizedAccessException => new($"The {program.Name} cannot start: {failure.Message}", ExitCodes.Failed),
        _ => null,
    };

    private static StartFailure Misconfigured(IEnumerable<string> failures)
    {
        var text = new StringBuilder("The configuration is wrong:");
        foreach (var line in failures.Distinct(StringComparer.Ordinal)) text.Append("\n  - ").Append(line);
        return new(text.ToString(), ExitCodes.Misconfigured);
    }
}

/// <summary>Settings that have no options class of their own are wrong, a line for each.</summary>
internal sealed class MisconfiguredException(params IReadOnlyList<string> lines) : Exception(string.Join('\n', lines))
{
    public IReadOnlyList<string> Lines => lines;
}
