using Coordinator.Ports.Compute;

namespace Coordinator.Adapters.OpenCode.Launch;

/// <summary>
/// The environment OpenCode starts with, under <c>serve</c> and under <c>acp</c> alike: the launch's own, the
/// configuration document, a password for its HTTP listener, and every switch that keeps it from reaching out or from
/// taking its configuration from a hostile repository.
/// </summary>
/// <remarks>
/// What no switch prevents, the <see cref="OpenCodeGuard"/> does. A repository's code runs in its box anyway (installing
/// its dependencies does that), and the box is the boundary; but a plugin would act inside the agent, past the
/// questions of permission.
/// </remarks>
public static class OpenCodeEnvironment
{
    private static readonly string[] Switches =
    [
        "OPENCODE_DISABLE_AUTOUPDATE",
        "OPENCODE_DISABLE_CLAUDE_CODE",
        "OPENCODE_DISABLE_DEFAULT_PLUGINS",
        "OPENCODE_DISABLE_EXTERNAL_SKILLS",
        "OPENCODE_DISABLE_LSP_DOWNLOAD",
        "OPENCODE_DISABLE_MODELS_FETCH",
        "OPENCODE_DISABLE_PROJECT_CONFIG",
        "OPENCODE_DISABLE_SHARE",
        "OPENCODE_PURE",
    ];

    /// <summary>Builds the whole environment. <paramref name="models"/> must not be empty; the last is the default.</summary>
    public static IReadOnlyDictionary<string, string> Build(AgentLaunch launch, IReadOnlyList<AgentModel> models, string password)
    {
        var environment = new Dictionary<string, string>(launch.Environment, StringComparer.Ordinal)
        {
            ["HOME"] = launch.HomeDirectory,
            ["OPENCODE_SERVER_PASSWORD"] = password,
            ["OPENCODE_CONFIG_CONTENT"] = OpenCodeConfig.Build(launch, models, RepositoryInstructions(launch.WorkingDirectory)),
        };
        foreach (var name in Switches) environment[name] = "1";
        environment["NO_PROXY"] = WithLoopback(environment.GetValueOrDefault("NO_PROXY"));
        return environment;
    }

    /// <summary>
    /// A repository's instructions for agents are text for the model, not configuration. Disabling the project's
    /// configuration drops them too, so they are named here by their absolute path.
    /// </summary>
    private static string[] RepositoryInstructions(string workspace)
    {
        foreach (var name in (ReadOnlySpan<string>)["AGENTS.md", "CLAUDE.md"])
        {
            var path = Path.Combine(workspace, name);
            if (File.Exists(path)) return [path];
        }

        return [];
    }

    /// <summary>The model route and the agent's own server are on loopback, which no egress proxy reaches.</summary>
    private static string WithLoopback(string? noProxy) =>
        string.IsNullOrEmpty(noProxy) ? "127.0.0.1,localhost"
        : noProxy.Contains("127.0.0.1", StringComparison.Ordinal) ? noProxy
        : $"127.0.0.1,localhost,{noProxy}";
}
