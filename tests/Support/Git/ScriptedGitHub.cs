using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Coordinator.Tests.Support.Http;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Coordinator.Tests.Support.Git;

/// <summary>
/// What GitHub's REST API says to an app, on loopback and by script: it checks the app's signature and times, mints tokens
/// for one repository, knows them again, and serves repositories with branches, trees, blobs and pull requests. No part of the
/// real one: what it does is what its documentation says.
/// </summary>
public sealed class ScriptedGitHub : IAsyncDisposable
{
    /// <summary>The app's client id.</summary>
    public const string AppId = "Iv1.scripted";

    private const long Installation = 4711;

    /// <summary>Made once for all: it takes longer than most tests.</summary>
    private static readonly RSA Key = RSA.Create(2048);

    private readonly ConcurrentDictionary<string, ScriptedRepository> repositories = new(StringComparer.OrdinalIgnoreCase);
    private readonly ConcurrentQueue<Func<HttpResponse, Task>> instead = new();
    private readonly ConcurrentQueue<string> calls = new();
    private readonly ConcurrentQueue<string> mintings = new();
    private LoopbackServer server = null!;

    public Uri Address => server.Address;

    /// <summary>The app's private key.</summary>
    public static string PrivateKey { get; } = Key.ExportPkcs8PrivateKeyPem();

    /// <summary>The server's clock.</summary>
    public Func<DateTimeOffset> Now { get; set; } = () => DateTimeOffset.UnixEpoch;

    /// <summary>Where the app is installed.</summary>
    public ISet<string> InstalledOn { get; } = new HashSet<string>(StringComparer.OrdinalIgnoreCase) { "acme" };

    /// <summary>What the next token is called.</summary>
    public Func<string> NextToken { get; set; } = () => "right-password";

    /// <summary>Whether a token is taken.</summary>
    public Func<string, bool> Knows { get; set; } = token => token == "right-password";

    public TimeSpan TokenLifetime { get; set; } = TimeSpan.FromHours(1);

    /// <summary>Minting waits for it.</summary>
    public Task MintGate { get; set; } = Task.CompletedTask;

    /// <summary>Every call, as <c>GET repos/acme/app</c>.</summary>
    public IReadOnlyList<string> Calls => [.. calls];

    /// <summary>What was asked of every token that was minted.</summary>
    public IReadOnlyList<string> Mintings => [.. mintings];

    public static async Task<ScriptedGitHub> StartAsync()
    {
        var gitHub = new ScriptedGitHub();
        gitHub.server = await LoopbackServer.StartAsync(app => app.Run(gitHub.AnswerAsync));
        return gitHub;
    }

    /// <summary>Puts a branch there; the first is the default one.</summary>
    public void AddBranch(string path, string branch, IReadOnlyDictionary<string, byte[]> files, bool isPrivate = false) =>
        repositories.GetOrAdd(path, _ => new(branch, isPrivate)).Branches[branch] = files;

    /// <summary>The next call that is not the app's own is answered so.</summary>
    public void AnswerNext(int status, string body = "{}", params (string Name, string Value)[] headers) => instead.Enqueue(async response =>
    {
        response.StatusCode = status;
        foreach (var (name, value) in headers) response.Headers[name] = value;
        await response.WriteAsync(body);
    });

    public ValueTask DisposeAsync() => server.DisposeAsync();

    private async Task AnswerAsync(HttpContext context)
    {
        var path = context.Request.Path.Value!.Trim('/');
        calls.Enqueue($"{context.Request.Method} {path}");
        context.Response.Headers.Date = Now().ToString("R", CultureInfo.InvariantCulture);
        string[] parts = [.. path.Split('/').Select(Uri.UnescapeDataString)];
        if (parts is ["app", "installations", _, "access_tokens"]) await MintAsync(context);
        else if (parts is ["repos", var owner, _, "installation"]) await FindInstallationAsync(context, owner);
        else if (instead.TryDequeue(out var other)) await other(context.Response);
        else if (parts is ["repos", var account, var name, ..]) await ServeAsync(context, $"{account}/{name}", parts[3..]);
        else await SayAsync(context, 404, new JsonObject { ["message"] = "Not Found" });
    }

    private async Task FindInstallationAsync(HttpContext context, string owner)
    {
        if (!IsApp(context)) await SayAsync(context, 401, new JsonObject { ["message"] = "A JSON web token could not be decoded" });
        else if (!InstalledOn.Contains(owner)) await SayAsync(context, 404, new JsonObject { ["message"] = "Not Found" });
        else await SayAsync(context, 200, new JsonObject { ["id"] = Installation });
    }

    private async Task MintAsync(HttpContext context)
    {
        if (!IsApp(context))
        {
            await SayAsync(context, 401, new JsonObject { ["message"] = "A JSON web token could not be decoded" });
            return;
        }

        using var reader = new StreamReader(context.Request.Body);
        mintings.Enqueue(await reader.ReadToEndAsync());
        await MintGate;
        await SayAsync(context, 201, new JsonObject { ["token"] = NextToken(), ["expires_at"] = (Now() + TokenLifetime).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture) });
    }

    /// <summary>Signature, issuer and times, as GitHub judges them: at most ten minutes ahead, and not before it was issued.</summary>
    private bool IsApp(HttpContext context)
    {
        var parts = context.Request.Headers.Authorization.ToString()["Bearer ".Length..].Split('.');
        if (parts.Length != 3) return false;
        if (!Key.VerifyData(Encoding.ASCII.GetBytes($"{parts[0]}.{parts[1]}"), Decode(parts[2]), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)) return false;
        using var claims = JsonDocument.Parse(Decode(parts[1]));
        var (issued, expires) = (claims.RootElement.GetProperty("iat").GetInt64(), claims.RootElement.GetProperty("exp").GetInt64());
        var now = Now().ToUnixTimeSeconds();
        return claims.RootElement.GetProperty("iss").GetString() == AppId && issued <= now && expires > now && expires <= now + 600;
    }

    private async Task ServeAsync(HttpContext context, string path, string[] rest)
    {
        var token = context.Request.Headers.Authorization.ToString() is { Length: > 7 } shown ? shown["Bearer ".Length..] : null;
        if (token is not null && !Knows(token)) await SayAsync(context, 401, new JsonObject { ["message"] = "Bad credentials" });
        else if (path.EndsWith("/broken", StringComparison.Ordinal)) await SayAsync(context, 503, new JsonObject());
        else if (!repositories.TryGetValue(path, out var repository) || (repository.IsPrivate && token is null)) await SayAsync(context, 404, new JsonObject { ["message"] = "Not Found" });
        else await ServeAsync(context, path, repository, rest, token);
    }

    private static async Task ServeAsync(HttpContext context, string path, ScriptedRepository repository, string[] rest, string? token)
    {
        switch (rest)
        {
            case []:
                await SayAsync(context, 200, new JsonObject { ["default_branch"] = repository.DefaultBranch });
                break;
            case ["branches"]:
                var page = int.Parse(context.Request.Query["page"].ToString(), CultureInfo.InvariantCulture);
                await SayAsync(context, 200, new JsonArray([.. repository.Branches.Keys.Skip((page - 1) * 100).Take(100).Select(name => (JsonNode)repository.Describe(name))]));
                break;
            case ["branches", var name] when repository.Branches.ContainsKey(name):
                await SayAsync(context, 200, repository.Describe(name));
                break;
            case ["git", "trees", var commit] when repository.FindTree(commit) is { } files:
                await SayAsync(context, 200, new JsonObject { ["tree"] = new JsonArray([.. files.Select(ScriptedRepository.Describe)]), ["truncated"] = false });
                break;
            case ["git", "blobs", var sha] when repository.FindBlob(sha) is { } content:
                await context.Response.Body.WriteAsync(content);
                break;
            case ["pulls"]:
                await ServePullsAsync(context, path, repository, token);
                break;
            default:
                await SayAsync(context, 404, new JsonObject { ["message"] = "Not Found" });
                break;
        }
    }

    private static async Task ServePullsAsync(HttpContext context, string path, ScriptedRepository repository, string? token)
    {
        if (HttpMethods.IsGet(context.Request.Method))
        {
            var asked = (context.Request.Query["head"].ToString().Split(':')[^1], context.Request.Query["base"].ToString());
            await SayAsync(context, 200, repository.Pulls.TryGetValue(asked, out var number) ? new JsonArray(Pull(path, number)) : []);
            return;
        }

        var draft = (await JsonNode.ParseAsync(context.Request.Body))!;
        var between = ((string)draft["head"]!, (string)draft["base"]!);
        if (token is null || between.Item1 == between.Item2 || !repository.Pulls.TryAdd(between, repository.Pulls.Count + 1)) await SayAsync(context, token is null ? 404 : 422, new JsonObject { ["message"] = "Validation Failed" });
        else await SayAsync(context, 201, Pull(path, repository.Pulls[between]));
    }

    private static JsonObject Pull(string path, int number) => new() { ["number"] = number, ["html_url"] = $"https://github.example/{path}/pull/{number}" };

    private static async Task SayAsync(HttpContext context, int status, JsonNode body)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        await context.Response.WriteAsync(body.ToJsonString());
    }

    private static byte[] Decode(string text) => System.Buffers.Text.Base64Url.DecodeFromChars(text);
}

/// <summary>A repository of the scripted GitHub.</summary>
internal sealed class ScriptedRepository(string defaultBranch, bool isPrivate)
{
    public string DefaultBranch => defaultBranch;

    public bool IsPrivate => isPrivate;

    public ConcurrentDictionary<string, IReadOnlyDictionary<string, byte[]>> Branches { get; } = new(StringComparer.Ordinal);

    public ConcurrentDictionary<(string Head, string Base), int> Pulls { get; } = new();

    public JsonObject Describe(string branch) => new() { ["name"] = branch, ["commit"] = new JsonObject { ["sha"] = CommitOf(branch) } };

    public static JsonNode Describe(KeyValuePair<string, byte[]> file) => new JsonObject
    {
        ["path"] = file.Key,
        ["mode"] = "100644",
        ["type"] = "blob",
        ["sha"] = IdOf(file.Value),
        ["size"] = file.Value.Length,
    };

    public IReadOnlyDictionary<string, byte[]>? FindTree(string commit) => Branches.Where(branch => CommitOf(branch.Key) == commit).Select(branch => branch.Value).FirstOrDefault();

    public byte[]? FindBlob(string sha) => Branches.Values.SelectMany(files => files.Values).FirstOrDefault(content => IdOf(content) == sha);

    private string CommitOf(string branch) => IdOf([.. Encoding.UTF8.GetBytes(branch), .. Branches[branch].Values.SelectMany(content => SHA256.HashData(content))]);

    private static string IdOf(byte[] content) => Convert.ToHexStringLower(SHA256.HashData(content))[..40];
}
