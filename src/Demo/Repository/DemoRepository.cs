using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace Coordinator.Demo.Repository;

/// <summary>
/// The sample repository as a bare one on disk, made when it is first asked for, anew in each process, with the same
/// commit every time.
/// </summary>
internal sealed class DemoRepository(IOptions<DemoOptions> options, IConfiguration configuration) : IDisposable
{
    private readonly SemaphoreSlim gate = new(1, 1);
    private string? ready;

    /// <summary>The path of the bare repository.</summary>
    public async Task<string> PathAsync(CancellationToken cancellationToken)
    {
        if (Volatile.Read(ref ready) is { } known) return known;
        await gate.WaitAsync(cancellationToken);
        try
        {
            ready ??= await MakeAsync(cancellationToken);
            return ready;
        }
        finally
        {
            gate.Release();
        }
    }

    public void Dispose() => gate.Dispose();

    private async Task<string> MakeAsync(CancellationToken cancellationToken)
    {
        var root = Path.GetFullPath(options.Value.Directory ?? Path.Combine(configuration["DataDirectory"] ?? "data", "demo"));
        var bare = Path.Combine(root, "node-sample.git");
        var files = Path.Combine(root, "node-sample");
        foreach (var old in new[] { bare, files }.Where(Directory.Exists)) Directory.Delete(old, recursive: true);
        Directory.CreateDirectory(files);
        await SampleFiles.WriteAsync(files, cancellationToken);
        await DemoGit.RunAsync(cancellationToken, "init", "--quiet", "--bare", "--initial-branch=main", bare);
        await DemoGit.RunAsync(cancellationToken, "--git-dir", bare, "config", "uploadpack.allowFilter", "true");
        await DemoGit.RunAsync(cancellationToken, "--git-dir", bare, "--work-tree", files, "add", "--all");
        await DemoGit.RunAsync(cancellationToken, "--git-dir", bare, "--work-tree", files, "commit", "--quiet", "--no-gpg-sign", "-m", "A small Node.js project");
        Directory.Delete(files, recursive: true);
        return bare;
    }
}
