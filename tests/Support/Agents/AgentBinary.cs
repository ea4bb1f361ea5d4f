namespace Coordinator.Tests.Support.Agents;

/// <summary>Finds the programs that <c>npm ci</c> in the repository's root installs.</summary>
public static class AgentBinary
{
    /// <summary>OpenCode's executable: <c>COORDINATOR_OPENCODE</c>, or the nearest node_modules above the tests.</summary>
    public static string OpenCode()
    {
        if (Environment.GetEnvironmentVariable("COORDINATOR_OPENCODE") is { Length: > 0 } configured) return configured;
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var path = Path.Combine(folder.FullName, "node_modules", "opencode-linux-x64", "bin", "opencode");
            if (File.Exists(path)) return path;
        }

        throw new InvalidOperationException("OpenCode is not installed: run 'npm ci --ignore-scripts' in the repository's root, or name its executable in COORDINATOR_OPENCODE.");
    }
}
