using System.Globalization;
using Coordinator.Sandbox.Configuration;

namespace Coordinator.Sandbox.Processes;

/// <summary>
/// The environment of the agent and of everything it runs. Built from a list of what is allowed through, never by
/// taking things away, and it holds no secret: an agent prints its environment sooner or later.
/// </summary>
internal static class ToolEnvironment
{
    private const string DefaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    private const string SystemCertificates = "/etc/ssl/certs/ca-certificates.crt";
    private const string Name = "Coordinator agent";
    private const string Mail = "agent@coordinator.invalid";

    private static readonly string[] Allowed =
    [
        "PATH", "LANG", "LC_ALL", "TZ", "TERM", "USER", "LOGNAME", "SHELL", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR", "JAVA_HOME", "DOTNET_ROOT", "GOROOT",
        "GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL", SandboxMark, UnisolatedMark,
    ];

    /// <summary>By this variable a provider without isolation finds what is left of a box; whatever the box starts must carry it.</summary>
    private const string SandboxMark = "COORDINATOR_SANDBOX";

    /// <summary>Set where there is no isolation, and so nothing to gain by hiding from the box's other processes.</summary>
    public const string UnisolatedMark = "COORDINATOR_UNISOLATED";

    private static readonly string[] CertificateVariables =
        ["SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "PIP_CERT", "GIT_SSL_CAINFO", "CARGO_HTTP_CAINFO", "DENO_CERT"];

    /// <summary>The name of the variable by which <c>coordinator-box git-credential</c> finds this program.</summary>
    public const string PortVariable = "COORDINATOR_BOX_PORT";

    /// <param name="box">Whose tools these are.</param>
    /// <param name="inherited">This program's own environment.</param>
    /// <param name="port">Where the model route and the egress proxy listen on loopback.</param>
    /// <param name="program">This program's path, for git's credential helper.</param>
    public static IReadOnlyDictionary<string, string> Build(BoxConfiguration box, IReadOnlyDictionary<string, string> inherited, int port, string program)
    {
        var environment = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["PATH"] = DefaultPath,
            ["LANG"] = "C.UTF-8",
            ["TERM"] = "xterm-256color",
            ["SHELL"] = "/bin/sh",
            ["GIT_AUTHOR_NAME"] = Name,
            ["GIT_AUTHOR_EMAIL"] = Mail,
            ["GIT_COMMITTER_NAME"] = Name,
            ["GIT_COMMITTER_EMAIL"] = Mail,
        };
        foreach (var name in Allowed)
        {
            if (inherited.TryGetValue(name, out var value) && value.Length > 0) environment[name] = value;
        }

        environment["HOME"] = box.Home;
        AddProxy(environment, port);
        AddCertificates(environment);
        AddGit(environment, program);
        environment[PortVariable] = port.ToString(CultureInfo.InvariantCulture);
        return environment;
    }

    private static void AddProxy(Dictionary<string, string> environment, int port)
    {
        var proxy = string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}");
        foreach (var name in new[] { "HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "YARN_HTTP_PROXY", "YARN_HTTPS_PROXY" }) environment[name] = proxy;
        foreach (var name in new[] { "NO_PROXY", "no_proxy" }) environment[name] = "127.0.0.1,localhost,::1";
        var java = string.Create(CultureInfo.InvariantCulture, $"-Dhttp.proxyHost=127.0.0.1 -Dhttp.proxyPort={port} -Dhttps.proxyHost=127.0.0.1 -Dhttps.proxyPort={port}");
        foreach (var name in new[] { "MAVEN_OPTS", "GRADLE_OPTS" }) environment[name] = java;
        environment["NODE_USE_ENV_PROXY"] = "1";
    }

    private static void AddCertificates(Dictionary<string, string> environment)
    {
        var bundle = environment.GetValueOrDefault("SSL_CERT_FILE", SystemCertificates);
        if (!File.Exists(bundle)) return;
        foreach (var name in CertificateVariables) environment[name] = bundle;
    }

    /// <summary>Configuration by environment, so that nothing of it stands on disk or in the repository.</summary>
    private static void AddGit(Dictionary<string, string> environment, string program)
    {
        environment["GIT_TERMINAL_PROMPT"] = "0";
        environment["GIT_LFS_SKIP_SMUDGE"] = "1";
        (string Key, string Value)[] settings =
        [
            ("credential.helper", ""),
            ("credential.helper", $"!'{program.Replace("'", "'\\''", StringComparison.Ordinal)}' git-credential"),
            ("safe.directory", "*"),
            ("init.defaultBranch", "main"),
            ("advice.detachedHead", "false"),
        ];
        environment["GIT_CONFIG_COUNT"] = settings.Length.ToString(CultureInfo.InvariantCulture);
        for (var i = 0; i < settings.Length; i++)
        {
            environment[string.Create(CultureInfo.InvariantCulture, $"GIT_CONFIG_KEY_{i}")] = settings[i].Key;
            environment[string.Create(CultureInfo.InvariantCulture, $"GIT_CONFIG_VALUE_{i}")] = settings[i].Value;
        }
    }
}
