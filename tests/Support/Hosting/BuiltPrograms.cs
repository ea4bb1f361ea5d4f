using Coordinator.Tests.Support.Agents;

namespace Coordinator.Tests.Support.Hosting;

/// <summary>
/// The programs that tests of the whole product run, where <c>./run.sh --setup</c> builds them, or where the variables of
/// <c>test.sh</c> say. A program that is not there fails the test that needs it, by name.
/// </summary>
public sealed record BuiltPrograms(string Host, string Box, string Web, string OpenCode)
{
    private const string Build = "build it with './run.sh --setup'";

    /// <summary>The program that offers boxes to hosts elsewhere.</summary>
    public static string SandboxHost()
    {
        List<string> missing = [];
        var found = Locate(missing, "COORDINATOR_SANDBOX_HOST", "the sandbox host", "artifacts", "sandbox-host", "Coordinator.SandboxHost.dll");
        return missing.Count == 0 ? found : throw new InvalidOperationException(missing[0] + ".");
    }

    /// <summary>Throws <see cref="InvalidOperationException"/> that names everything missing at once.</summary>
    public static BuiltPrograms Find()
    {
        List<string> missing = [];
        var host = Locate(missing, "COORDINATOR_HOST", "the host", "artifacts", "host", "Coordinator.Host.dll");
        var box = Locate(missing, "COORDINATOR_BOX_PROGRAM", "the program in the box", "artifacts", "box", "coordinator-box");
        var web = Locate(missing, "COORDINATOR_WEB", "the web app", "src", "Web", "dist");
        var openCode = AgentBinary.OpenCode();
        if (!File.Exists(openCode)) missing.Add($"OpenCode is not at {openCode}: run 'npm ci --ignore-scripts' in the repository's root");
        return missing.Count == 0 ? new(host, box, web, openCode) : throw new InvalidOperationException(string.Join("; ", missing) + ".");
    }

    private static string Locate(List<string> missing, string variable, string what, params string[] path)
    {
        if (Environment.GetEnvironmentVariable(variable) is { Length: > 0 } configured)
        {
            if (!Path.Exists(configured)) missing.Add($"{what} is not at {configured}, where {variable} says: {Build}");
            return configured;
        }

        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (Path.Combine([folder.FullName, .. path]) is var candidate && Path.Exists(candidate)) return candidate;
        missing.Add($"{what} is not built ({Path.Combine(path)}): {Build}");
        return string.Empty;
    }
}
