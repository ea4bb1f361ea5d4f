using System.ComponentModel;
using System.Diagnostics;
using System.Text;
using Coordinator.Ports;
using Coordinator.Ports.Compute;

namespace Coordinator.Adapters.Git.Commands;

/// <summary>How a git command ended; <see cref="Output"/> is what <c>read</c> made of its standard output.</summary>
internal sealed record GitOutcome<T>(int ExitCode, T Output, string Errors);

/// <summary>
/// Runs git with an environment of its own: nothing of this machine's configuration, no prompt, no redirect, http and
/// https only. A credential reaches it in its environment through an inline helper: never on disk, never in an argument.
/// </summary>
internal sealed class GitCommand(string executable)
{
    private const int LongestErrors = 16 * 1024;
    private const string UserVariable = "COORDINATOR_GIT_USERNAME";
    private const string PasswordVariable = "COORDINATOR_GIT_PASSWORD";
    private const string Helper = $"!f() {{ test \"$1\" = get && printf 'username=%s\\npassword=%s\\n' \"${UserVariable}\" \"${PasswordVariable}\"; }}; f";

    private static readonly string[] Settings =
    [
        "credential.helper=",
        "http.followRedirects=false",
        "http.lowSpeedLimit=1",
        "http.lowSpeedTime=30",
        "protocol.allow=never",
        "protocol.http.allow=always",
        "protocol.https.allow=always",
        "fetch.unpackLimit=1",
        "fetch.fsckObjects=false",
        "gc.auto=0",
        "core.hooksPath=/dev/null",
    ];

    /// <summary>What of this machine's environment git needs to trust the same certificates as everything else here.</summary>
    private static readonly string[] PassedOn = ["PATH", "SSL_CERT_FILE", "SSL_CERT_DIR", "GIT_SSL_CAINFO", "GIT_SSL_CAPATH", "CURL_CA_BUNDLE"];

    /// <summary>Runs a command to its end; the caller's token bounds it. The process and its children are gone when this returns.</summary>
    /// <exception cref="PortException"><see cref="PortFailureKind.Rejected"/>: there is no git here.</exception>
    public async Task<GitOutcome<T>> RunAsync<T>(GitCall call, Func<Stream, Task<T>> read, CancellationToken cancellationToken)
    {
        using var process = Start(call);
        try
        {
            var errors = ReadErrorsAsync(process.StandardError, cancellationToken);
            var writing = WriteAsync(process, call.Input, cancellationToken);
            var output = await read(process.StandardOutput.BaseStream);
            await writing;
            var said = await errors;
            await process.WaitForExitAsync(cancellationToken);
            return new(process.ExitCode, output, said);
        }
        finally
        {
            if (!process.HasExited) process.Kill(entireProcessTree: true);
        }
    }

    /// <summary>Runs a command whose output is a few lines of text.</summary>
    public Task<GitOutcome<string>> RunAsync(GitCall call, CancellationToken cancellationToken) => RunAsync(call, async output =>
    {
        using var reader = new StreamReader(output, Encoding.UTF8);
        return await reader.ReadToEndAsync(cancellationToken);
    }, cancellationToken);

    private Process Start(GitCall call)
    {
        var start = new ProcessStartInfo(executable) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = call.Directory };
        foreach (var setting in Settings) Set(start, setting);
        if (call.Resolve is { } resolve) Set(start, $"http.curloptResolve={resolve}");
        if (call.Credential is not null) Set(start, $"credential.helper={Helper}");
        foreach (var argument in call.Arguments) start.ArgumentList.Add(argument);

        start.Environment.Clear();
        foreach (var name in PassedOn)
        {
            if (Environment.GetEnvironmentVariable(name) is { Length: > 0 } value) start.Environment[name] = value;
        }

        start.Environment["HOME"] = call.Directory;
        start.Environment["LC_ALL"] = "C";
        start.Environment["GIT_CONFIG_NOSYSTEM"] = "1";
        start.Environment["GIT_CONFIG_GLOBAL"] = "/dev/null";
        start.Environment["GIT_TERMINAL_PROMPT"] = "0";
        start.Environment["GIT_ASKPASS"] = "/bin/false";
        start.Environment["GIT_NO_LAZY_FETCH"] = "1";
        if (call.Credential is { } credential)
        {
            start.Environment[UserVariable] = credential.Username;
            start.Environment[PasswordVariable] = credential.Password;
        }

        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception exception)
        {
            throw new PortException(PortFailureKind.Rejected, $"Repositories cannot be looked into: {executable} cannot be started. Install git.", inner: exception);
        }
    }

    private static void Set(ProcessStartInfo start, string setting)
    {
        start.ArgumentList.Add("-c");
        start.ArgumentList.Add(setting);
    }

    private static async Task WriteAsync(Process process, string? input, CancellationToken cancellationToken)
    {
        try
        {
            if (input is not null) await process.StandardInput.WriteAsync(input.AsMemory(), cancellationToken);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It ended without reading all; its exit code says why.
        }
    }

    private static async Task<string> ReadErrorsAsync(StreamReader errors, CancellationToken cancellationToken)
    {
        var text = new StringBuilder();
        var buffer = new char[1_024];
        int read;
        while ((read = await errors.ReadAsync(buffer, cancellationToken)) > 0)
        {
            if (text.Length < LongestErrors) text.Append(buffer, 0, read);
        }

        return text.ToString();
    }
}

/// <summary>One git command. <see cref="Resolve"/> pins the remote's host; <see cref="Credential"/> is for that host.</summary>
internal sealed record GitCall(string Directory, IReadOnlyList<string> Arguments, string? Resolve = null, GitCredential? Credential = null, string? Input = null)
{
    public override string ToString() => $"git {(Arguments.Count > 0 ? Arguments[0] : string.Empty)}";
}
