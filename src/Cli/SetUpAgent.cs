using System.Runtime.InteropServices;

namespace Coordinator.Cli;

/// <summary>Where <c>./run.sh</c> puts the agent, for the kind of machine that this is.</summary>
internal static class SetUpAgent
{
    public static string In(string root)
    {
        var architecture = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? "arm64" : "x64";
        return Path.Combine(root, "node_modules", $"opencode-linux-{architecture}", "bin", "opencode");
    }
}
