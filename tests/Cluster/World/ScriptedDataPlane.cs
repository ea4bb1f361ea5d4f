using System.Collections.Concurrent;
using System.Text.Json;
using Coordinator.Ports.Compute.DataPlane;
using Coordinator.Tests.Support.Http;
using Coordinator.Tests.Support;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Coordinator.Tests.Cluster.World;

/// <summary>What a box is told when it is made.</summary>
internal sealed record BoxGrant(string Sandbox, int Generation, string Token);

/// <summary>A data plane that all hosts share. It makes no boxes: it says what each would be told, and a test plays it.</summary>
internal sealed class ScriptedDataPlane : IAsyncDisposable
{
    private const string Node = "scripted";

    private readonly ConcurrentDictionary<string, SandboxAnswer> boxes = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, TaskCompletionSource<BoxGrant>> grants = new(StringComparer.Ordinal);
    private LoopbackServer server = null!;
    private TaskCompletionSource creating = Opened();
    private int asked;
    private int made;

    /// <summary>How many boxes were made for all sessions.</summary>
    public int Made => Volatile.Read(ref made);

    /// <summary>How many times a box was asked for.</summary>
    public int Asked => Volatile.Read(ref asked);

    /// <summary>What makes a host use it.</summary>
    public IReadOnlyDictionary<string, string> HostSettings => new Dictionary<string, string>
    {
        ["Sandbox:Provider"] = "Modal",
        ["Sandbox:Modal:Urls:0"] = server.Address.GetLeftPart(UriPartial.Authority),
        ["Sandbox:Modal:KeyId"] = "cluster",
        ["Sandbox:Modal:Secret"] = "a secret of the cluster's tests, long enough",
    };

    public static async Task<ScriptedDataPlane> StartAsync()
    {
        var plane = new ScriptedDataPlane();
        plane.server = await LoopbackServer.StartAsync(plane.Map);
        return plane;
    }

    /// <summary>What the first box of a session is told, once the session has asked for one.</summary>
    public Task<BoxGrant> GrantOfAsync(string session) => Eventually.ComesAsync(Grant(session).Task, $"a box for {session}");

    /// <summary>The first box of a session is gone, and the provider knows it.</summary>
    public async Task LoseAsync(string session) => boxes.TryRemove((await GrantOfAsync(session)).Sandbox, out _);

    /// <summary>From here on no box is made before it is let.</summary>
    public void HoldCreates() => creating = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Makes the boxes that were asked for meanwhile, and those to come.</summary>
    public void LetCreate() => creating.SetResult();

    public ValueTask DisposeAsync() => server.DisposeAsync();

    private TaskCompletionSource<BoxGrant> Grant(string session) => grants.GetOrAdd(session, static _ => new(TaskCreationOptions.RunContinuationsAsynchronously));

    private void Map(WebApplication app)
    {
        app.MapGet("/health", () => Json(new DataPlaneHealth("ok", Node, new(0, 1_000), new(true, false, false, false, false), ["opencode"]), DataPlaneJson.Default.DataPlaneHealth));
        app.MapGet("/sandboxes", () => Json(new SandboxesAnswer(Node, [.. boxes.Values]), DataPlaneJson.Default.SandboxesAnswer));
        app.MapGet("/sandboxes/{id}", (string id) => boxes.TryGetValue(id, out var box) ? Json(box, DataPlaneJson.Default.SandboxAnswer) : Absent());
        app.MapPost("/sandboxes", CreateAsync);
        app.MapDelete("/sandboxes/{id}", (string id) =>
        {
            boxes.TryRemove(id, out _);
            return Results.NoContent();
        });
    }

    private async Task<IResult> CreateAsync(HttpRequest request)
    {
        var body = (await JsonSerializer.DeserializeAsync(request.Body, DataPlaneJson.Default.CreateSandboxBody))!;
        Interlocked.Increment(ref asked);
        await creating.Task.WaitAsync(request.HttpContext.RequestAborted);
        var box = boxes.GetOrAdd(body.Name, name =>
        {
            Interlocked.Increment(ref made);
            return new(name, Node, SandboxAnswer.Running, null, body.Labels, TimeProvider.System.GetUtcNow());
        });
        Grant(body.Bridge.Session).TrySetResult(new(body.Name, body.Bridge.Generation, body.Bridge.Token));
        return Json(box, DataPlaneJson.Default.SandboxAnswer);
    }

    private static TaskCompletionSource Opened()
    {
        var opened = new TaskCompletionSource();
        opened.SetResult();
        return opened;
    }

    private static IResult Json<T>(T answer, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type) => Results.Json(answer, type);

    private static IResult Absent() => Results.Json(new DataPlaneProblem(404, DataPlaneProblem.NotFound, "There is no such box.", "notFound", false, Node), DataPlaneJson.Default.DataPlaneProblem, DataPlaneProblem.ContentType, 404);
}
