using System.Diagnostics;

namespace Coordinator.Tests.Modules.Box;

/// <summary>A git repository on disk, with one commit on <c>main</c>.</summary>
internal static class TestRepository
{
    /// <summary>Makes it and returns its <c>file://</c> address.</summary>
    public static async Task<string> CreateAsync(string folder, params (string Path, string Content)[] files)
    {
        Directory.CreateDirectory(folder);
        foreach (var (path, content) in files) await File.WriteAllTextAsync(Path.Combine(folder, path), content);
        await GitAsync(folder, "init", "--quiet", "--initial-branch", "main");
        await GitAsync(folder, "add", "--all");
        await GitAsync(folder, "-c", "user.name=Test", "-c", "user.email=test@example.com", "commit", "--quiet", "--message", "first");
        return $"file://{folder}";
    }

    private static async Task GitAsync(string folder, params string[] arguments)
    {
        using var git = Process.Start(new ProcessStartInfo("git", arguments) { WorkingDirectory = folder })!;
        await git.WaitForExitAsync();
        if (git.ExitCode != 0) throw new InvalidOperationException($"git {string.Join(' ', arguments)} ended with {git.ExitCode}.");
    }
}
