using System.Security.Cryptography;
using System.Text;
using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Coordinator.Sandbox.Processes;
using Coordinator.Sandbox.Storage;

namespace Coordinator.Sandbox.Boot;

/// <summary>
/// Runs the install command that discovery found. What was installed for the same files by an earlier box of the
/// session, in the workspace it left, is not installed again.
/// </summary>
internal sealed class InstallStep(BootPlan plan, BoxState state, TimeProvider time)
{
    private const string InstalledNote = "installed";
    private const int MaxDetail = 500;
    private const int CommandNotFound = 127;

    private static readonly string[] Inputs =
    [
        "package.json", "package-lock.json", "npm-shrinkwrap.json", "pnpm-lock.yaml", "yarn.lock", "bun.lock", "bun.lockb", "requirements.txt", "pyproject.toml",
        "poetry.lock", "uv.lock", "go.mod", "go.sum", "Cargo.toml", "Cargo.lock", "packages.lock.json", "global.json", "pom.xml", "build.gradle",
        "build.gradle.kts", "Gemfile", "Gemfile.lock", "composer.json", "composer.lock", "Makefile",
    ];

    /// <summary>A problem is reported and the session goes on: an agent is a good one to mend a failing install.</summary>
    public async Task<Result<PhaseResult>> RunAsync(DetectedEnvironment environment, Action<string> output, CancellationToken cancellationToken)
    {
        if (!plan.Settings.Install) return PhaseResult.NotNeeded("Installing is switched off for this session.");
        if (environment.Commands.Install is not { } command) return PhaseResult.NotNeeded("Nothing to install was found.");
        var digest = Digest(command);
        if (state.Read(InstalledNote) == digest) return PhaseResult.NotNeeded($"'{command}' was run before for the same files.");

        var spec = new CommandSpec("/bin/sh", ["-c", command], plan.Workspace, plan.Tools, plan.Settings.Limits.InstallBudget);
        var end = await new CommandRun(spec, output, time).RunAsync(plan.DiskIsFull, cancellationToken);
        if (end is { Outcome: CommandOutcome.Exited, ExitCode: 0 })
        {
            state.Write(InstalledNote, digest);
            return PhaseResult.Done(command);
        }

        return new Problem("install_failed", Describe(command, end));
    }

    private string Describe(string command, CommandEnd end) => end switch
    {
        { Outcome: CommandOutcome.Stopped } => $"'{command}' was stopped: workspace and home hold more than they may. The session goes on.",
        { Outcome: CommandOutcome.TimedOut } => $"'{command}' took longer than {plan.Settings.Limits.InstallBudget.TotalSeconds:0} s and was stopped. The session goes on.",
        { ExitCode: CommandNotFound } => $"'{command}' cannot be run: its program is not in the box. The session goes on.",
        _ => $"'{command}' ended with exit code {end.ExitCode}. The session goes on. {LastLine(end.LastOutput)}",
    };

    private static string LastLine(string output)
    {
        var line = output.Split(['\n', '\r'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).LastOrDefault() ?? "";
        return Events.JsonText.Shorten(line, MaxDetail);
    }

    private string Digest(string command)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes(command));
        foreach (var path in Inputs.Select(name => Path.Combine(plan.Workspace, name)).Where(File.Exists))
        {
            hash.AppendData(Encoding.UTF8.GetBytes(path));
            hash.AppendData(SHA256.HashData(File.ReadAllBytes(path)));
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
