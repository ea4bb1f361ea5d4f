using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text;
using Coordinator.Tests.Support.Http;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace Coordinator.Tests.Support.Git;

/// <summary>
/// A real git server on loopback: <c>git http-backend</c> behind a small HTTP server. A repository below
/// <c>private/</c> wants a password.
/// </summary>
public sealed class GitHttpServer : IAsyncDisposable
{
    private const string UsualPassword = "right-password";

    private readonly string root = Directory.CreateTempSubdirectory("coordinator-git-server-").FullName;
    private readonly TaskCompletionSource silence = new();
    private readonly SemaphoreSlim arrived = new(0);
    private readonly List<string> shown = [];
    private LoopbackServer server = null!;
    private string certificates = "";

    public Uri Address => server.Address;

    /// <summary>The certificate to trust, as a file of PEM, of a server that speaks TLS.</summary>
    public string Certificates => certificates;

    /// <summary>Whether a password opens what is private, in place of <see cref="Password"/>.</summary>
    public Func<string, bool>? Knows { get; set; }

    /// <summary>Is told of every call before it is looked at, as <c>POST /private/app.git/git-receive-pack</c>.</summary>
    public Action<string> Asked { get; set; } = _ => { };

    /// <summary>True: what is called for is done, and the connection is cut in place of an answer.</summary>
    public Func<string, bool> LosesAnswerTo { get; set; } = _ => false;

    /// <summary>What private repositories want; the user name is not looked at.</summary>
    public string Password { get; set; } = UsualPassword;

    /// <summary>The <c>Authorization</c> headers that were shown.</summary>
    public IReadOnlyList<string> Shown
    {
        get
        {
            lock (shown) return [.. shown];
        }
    }

    public static async Task<GitHttpServer> StartAsync()
    {
        var git = new GitHttpServer();
        git.server = await LoopbackServer.StartAsync(app => app.Run(git.AnswerAsync));
        return git;
    }

    /// <summary>One that speaks TLS, as it must for git to be given a password for it.</summary>
    public static async Task<GitHttpServer> StartSecureAsync()
    {
        var git = new GitHttpServer();
        var certificate = LoopbackCertificate.Create();
        git.certificates = Path.Combine(git.root, "certificate.pem");
        await File.WriteAllTextAsync(git.certificates, certificate.ExportCertificatePem());
        git.server = await LoopbackServer.StartAsync(app => app.Run(git.AnswerAsync), builder => builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseHttps(certificate))));
        return git;
    }

    public Uri UrlOf(string name) => new(Address, name);

    /// <summary>Makes a repository with one commit per branch, the first branch being its default; answers its URL.</summary>
    public async Task<Uri> AddRepositoryAsync(string name, params (string Branch, IReadOnlyDictionary<string, byte[]> Files)[] branches)
    {
        ArgumentNullException.ThrowIfNull(branches);
        var bare = Path.Combine(root, name);
        Directory.CreateDirectory(bare);
        await RunAsync(root, "init", "--quiet", "--bare", $"--initial-branch={(branches.Length > 0 ? branches[0].Branch : "main")}", bare);
        await RunAsync(bare, "config", "uploadpack.allowFilter", "true");
        await RunAsync(bare, "config", "http.receivepack", "true");
        foreach (var (branch, files) in branches) await CommitAsync(bare, branch, files);
        return UrlOf(name);
    }

    /// <summary>Somebody else pushes a commit on top of a branch.</summary>
    public async Task PushAsync(string name, string branch, string subject)
    {
        var work = Directory.CreateTempSubdirectory("coordinator-git-work-").FullName;
        try
        {
            await RunAsync(work, "clone", "--quiet", $"--branch={branch}", Path.Combine(root, name), ".");
            await RunAsync(work, "commit", "--quiet", "--allow-empty", "-m", subject);
            await RunAsync(work, "push", "--quiet", "origin", branch);
        }
        finally
        {
            Directory.Delete(work, recursive: true);
        }
    }

    /// <summary>The subjects of a branch's commits, the newest first.</summary>
    public async Task<IReadOnlyList<string>> SubjectsAsync(string name, string branch) =>
        (await RunAsync(Path.Combine(root, name), "log", "--format=%s", branch)).Split('\n', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>Forgets what an earlier test did.</summary>
    public void Reset()
    {
        Password = UsualPassword;
        (Knows, Asked, LosesAnswerTo) = (null, _ => { }, _ => false);
        lock (shown) shown.Clear();
    }

    /// <summary>Waits until a call to <c>silent/…</c>, which is never answered, has arrived.</summary>
    public async Task SilentCallAsync()
    {
        if (!await arrived.WaitAsync(TimeSpan.FromSeconds(20))) throw new TimeoutException("No call to silent/ arrived.");
    }

    public async ValueTask DisposeAsync()
    {
        silence.TrySetResult();
        await server.DisposeAsync();
        arrived.Dispose();
        Directory.Delete(root, recursive: true);
    }

    private static async Task CommitAsync(string bare, string branch, IReadOnlyDictionary<string, byte[]> files)
    {
        var work = Directory.CreateTempSubdirectory("coordinator-git-work-").FullName;
        try
        {
            foreach (var (path, content) in files)
            {
                var file = Path.Combine(work, path);
                Directory.CreateDirectory(Path.GetDirectoryName(file)!);
                await File.WriteAllBytesAsync(file, content);
            }

            await RunAsync(work, "init", "--quiet", $"--initial-branch={branch}", ".");
            await RunAsync(work, "add", "--all", "--force");
            await RunAsync(work, "commit", "--quiet", "--allow-empty", "-m", branch);
            await RunAsync(work, "push", "--quiet", bare, $"{branch}:refs/heads/{branch}");
        }
        finally
        {
            Directory.Delete(work, recursive: true);
        }
    }

    private static async Task<string> RunAsync(string directory, params string[] arguments)
    {
        using var git = Process.Start(Configured(new ProcessStartInfo("git", arguments) { WorkingDirectory = directory, RedirectStandardError = true, RedirectStandardOutput = true }))!;
        var (output, errors) = (git.StandardOutput.ReadToEndAsync(), git.StandardError.ReadToEndAsync());
        await git.WaitForExitAsync();
        return git.ExitCode == 0 ? await output : throw new InvalidOperationException($"git {arguments[0]}: {await errors}");
    }

    private static ProcessStartInfo Configured(ProcessStartInfo start)
    {
        start.Environment["GIT_CONFIG_NOSYSTEM"] = "1";
        start.Environment["GIT_CONFIG_GLOBAL"] = "/dev/null";
        foreach (var role in new[] { "AUTHOR", "COMMITTER" })
        {
            start.Environment[$"GIT_{role}_NAME"] = "Test";
            start.Environment[$"GIT_{role}_EMAIL"] = "test@example.com";
        }

        return start;
    }

    private async Task AnswerAsync(HttpContext context)
    {
        if (context.Request.Headers.Authorization.ToString() is { Length: > 0 } header) lock (shown) shown.Add(header);
        var path = context.Request.Path.Value!;
        var call = $"{context.Request.Method} {path}";
        Asked(call);
        if (path.StartsWith("/silent/", StringComparison.Ordinal))
        {
            arrived.Release();
            await silence.Task.WaitAsync(context.RequestAborted);
        }
        else if (path.StartsWith("/moved/", StringComparison.Ordinal))
        {
            context.Response.Redirect(path["/moved".Length..] + context.Request.QueryString, permanent: true);
        }
        else if (path.StartsWith("/broken/", StringComparison.Ordinal))
        {
            context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
        }
        else if (path.StartsWith("/private/", StringComparison.Ordinal) && !IsAllowed(context))
        {
            context.Response.StatusCode = StatusCodes.Status401Unauthorized;
            context.Response.Headers.WWWAuthenticate = "Basic realm=\"git\"";
        }
        else
        {
            await BackendAsync(context, call);
        }
    }

    private bool IsAllowed(HttpContext context)
    {
        var header = context.Request.Headers.Authorization.ToString();
        if (!header.StartsWith("Basic ", StringComparison.Ordinal)) return false;
        var pair = Encoding.UTF8.GetString(Convert.FromBase64String(header["Basic ".Length..]));
        var password = pair[(pair.IndexOf(':', StringComparison.Ordinal) + 1)..];
        return Knows?.Invoke(password) ?? password == Password;
    }

    /// <summary>Speaks CGI to git's own server program.</summary>
    private async Task BackendAsync(HttpContext context, string call)
    {
        var request = context.Request;
        var start = Configured(new ProcessStartInfo("git", ["http-backend"]) { RedirectStandardInput = true, RedirectStandardOutput = true });
        start.Environment["GIT_PROJECT_ROOT"] = root;
        start.Environment["GIT_HTTP_EXPORT_ALL"] = "1";
        start.Environment["REQUEST_METHOD"] = request.Method;
        start.Environment["PATH_INFO"] = request.Path.Value;
        start.Environment["QUERY_STRING"] = request.QueryString.Value?.TrimStart('?');
        start.Environment["CONTENT_TYPE"] = request.ContentType;
        start.Environment["HTTP_CONTENT_ENCODING"] = request.Headers.ContentEncoding;
        start.Environment["GIT_PROTOCOL"] = request.Headers["Git-Protocol"];
        if (request.ContentLength is { } length) start.Environment["CONTENT_LENGTH"] = length.ToString(CultureInfo.InvariantCulture);
        using var backend = Process.Start(start)!;
        await request.Body.CopyToAsync(backend.StandardInput.BaseStream, context.RequestAborted);
        backend.StandardInput.Close();
        using var output = new MemoryStream();
        await backend.StandardOutput.BaseStream.CopyToAsync(output, context.RequestAborted);
        await backend.WaitForExitAsync(context.RequestAborted);
        if (LosesAnswerTo(call)) context.Abort();
        else await WriteAsync(context.Response, output.ToArray());
    }

    private static async Task WriteAsync(HttpResponse response, byte[] output)
    {
        var end = output.AsSpan().IndexOf("\r\n\r\n"u8);
        foreach (var line in Encoding.ASCII.GetString(output, 0, Math.Max(end, 0)).Split("\r\n"))
        {
            var (name, value) = (line.Split(':')[0], line[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim());
            if (name == "Status") response.StatusCode = int.Parse(value.Split(' ')[0], CultureInfo.InvariantCulture);
            else if (name.Length > 0) response.Headers[name] = value;
        }

        await response.Body.WriteAsync(output.AsMemory(end + 4));
    }
}
