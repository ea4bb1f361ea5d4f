using System.Diagnostics;
using System.IO.Compression;
using System.Text.RegularExpressions;
using Coordinator.Ports;
using Microsoft.AspNetCore.Http;

namespace Coordinator.Demo.Repository;

/// <summary>
/// Serves the sample repository over git's smart HTTP, for reading only. Bounded: few at once, small requests, and a
/// time limit on each.
/// </summary>
internal sealed partial class UploadPackEndpoint(DemoRepository repository, TimeProvider time) : IDisposable
{
    private const int AtOnce = 8;
    private const int LargestRequest = 1024 * 1024;

    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(30);

    private readonly SemaphoreSlim places = new(AtOnce, AtOnce);

    /// <summary><c>GET …/info/refs?service=git-upload-pack</c></summary>
    public Task AdvertiseAsync(HttpContext context)
    {
        if (context.Request.Query["service"] == "git-upload-pack") return ServeAsync(context, "advertisement", ["--advertise-refs"], IsSecondProtocol(context) ? [] : "001e# service=git-upload-pack\n0000"u8.ToArray());
        context.Response.StatusCode = StatusCodes.Status403Forbidden;
        return context.Response.WriteAsync("This repository can be read only, and by git's smart protocol.\n", context.RequestAborted);
    }

    /// <summary><c>POST …/git-upload-pack</c></summary>
    public Task UploadAsync(HttpContext context) => ServeAsync(context, "result", [], []);

    public void Dispose() => places.Dispose();

    private async Task ServeAsync(HttpContext context, string kind, string[] arguments, byte[] preamble)
    {
        using var limit = new CancellationTokenSource(Longest, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, limit.Token);
        await places.WaitAsync(both.Token);
        try
        {
            var path = await repository.PathAsync(both.Token);
            var input = await RequestAsync(context, both.Token);
            if (input is null)
            {
                context.Response.StatusCode = StatusCodes.Status413PayloadTooLarge;
                return;
            }

            context.Response.ContentType = $"application/x-git-upload-pack-{kind}";
            context.Response.Headers.CacheControl = "no-cache";
            var protocol = context.Request.Headers["Git-Protocol"].ToString();
            using var git = DemoGit.Start(["upload-pack", "--stateless-rpc", .. arguments, path], Protocol().IsMatch(protocol) ? protocol : null);
            await ConverseAsync(git, input, preamble, context.Response.Body, both.Token);
        }
        catch (PortException failure) when (!context.Response.HasStarted)
        {
            context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            await context.Response.WriteAsync(failure.Message + "\n", both.Token);
        }
        finally
        {
            places.Release();
        }
    }

    private static bool IsSecondProtocol(HttpContext context) => context.Request.Headers["Git-Protocol"] == "version=2";

    private static async Task ConverseAsync(Process git, byte[] input, byte[] preamble, Stream answer, CancellationToken cancellationToken)
    {
        try
        {
            await answer.WriteAsync(preamble, cancellationToken);
            var errors = git.StandardError.BaseStream.CopyToAsync(Stream.Null, cancellationToken);
            var copying = git.StandardOutput.BaseStream.CopyToAsync(answer, cancellationToken);
            await git.StandardInput.BaseStream.WriteAsync(input, cancellationToken);
            git.StandardInput.Close();
            await Task.WhenAll(copying, errors);
            await git.WaitForExitAsync(cancellationToken);
        }
        finally
        {
            if (!git.HasExited) git.Kill(entireProcessTree: true);
        }
    }

    /// <summary>The request's bytes, unpacked when git packed them; null when they are too many.</summary>
    private static async Task<byte[]?> RequestAsync(HttpContext context, CancellationToken cancellationToken)
    {
        var isPacked = context.Request.Headers.ContentEncoding == "gzip";
        await using var source = isPacked ? new GZipStream(context.Request.Body, CompressionMode.Decompress, leaveOpen: true) : context.Request.Body;
        using var bytes = new MemoryStream();
        var buffer = new byte[16 * 1024];
        int read;
        while ((read = await source.ReadAsync(buffer, cancellationToken)) > 0)
        {
            if (bytes.Length + read > LargestRequest) return null;
            bytes.Write(buffer, 0, read);
        }

        return bytes.ToArray();
    }

    [GeneratedRegex("^version=[012]$", RegexOptions.CultureInvariant)]
    private static partial Regex Protocol();
}
