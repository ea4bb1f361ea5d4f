using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Coordinator.Ports;
using Coordinator.Ports.Compute.DataPlane;
using Coordinator.SandboxHost.Signing;

namespace Coordinator.SandboxHost.Boxes;

/// <summary>The routes of the data plane (docs/protocol.md). Who comes here is known; each failure is answered with its kind.</summary>
internal static class DataPlaneEndpoints
{
    public static void Map(WebApplication app)
    {
        Serve(app, "POST", "/sandboxes", CreateAsync);
        Serve(app, "GET", "/sandboxes", ListAsync);
        Serve(app, "GET", "/sandboxes/{id}", InspectAsync);
        Serve(app, "DELETE", "/sandboxes/{id}", DestroyAsync);
        Serve(app, "GET", SignatureGate.HealthPath, HealthAsync);
        Serve(app, "POST", "/sandboxes/{id}/snapshot", UnsupportedAsync);
        Serve(app, "POST", "/sandboxes:restore", UnsupportedAsync);
        Serve(app, "POST", "/images", UnsupportedAsync);
        Serve(app, "GET", "/images/{id}", UnsupportedAsync);
        app.MapFallback(static context => context.WriteProblemAsync(StatusCodes.Status404NotFound, "route_not_found", "There is no such route."));
    }

    private static void Serve(WebApplication app, string method, string pattern, Func<HttpContext, ServedBoxes, Task> answer) =>
        app.MapMethods(pattern, [method], async context =>
        {
            var boxes = context.RequestServices.GetRequiredService<ServedBoxes>();
            try
            {
                if (context.Request.Query["node"] is [{ } wanted] && wanted != boxes.Node)
                    await context.WriteProblemAsync(StatusCodes.Status421MisdirectedRequest, DataPlaneProblem.WrongNode, $"This is {boxes.Node}, not {wanted}.", node: boxes.Node);
                else await answer(context, boxes);
            }
            catch (PortException failure)
            {
                await context.WriteProblemAsync(failure, boxes.Node);
            }
            catch (JsonException)
            {
                await context.WriteProblemAsync(StatusCodes.Status400BadRequest, "body_malformed", "The body is not the JSON that this route takes.");
            }
        });

    private static async Task CreateAsync(HttpContext context, ServedBoxes boxes)
    {
        var body = await JsonSerializer.DeserializeAsync(context.Request.Body, DataPlaneJson.Default.CreateSandboxBody, context.RequestAborted) ?? throw new JsonException("null");
        await WriteAsync(context, await boxes.CreateAsync(body, context.RequestAborted), DataPlaneJson.Default.SandboxAnswer);
    }

    private static async Task ListAsync(HttpContext context, ServedBoxes boxes)
    {
        Dictionary<string, string> labels = new(StringComparer.Ordinal);
        foreach (var label in context.Request.Query["label"])
        {
            if (label?.Split('=', 2) is [{ Length: > 0 } name, var value]) labels[name] = value;
            else throw new PortException(PortFailureKind.Rejected, $"A label is name=value, not '{label}'.");
        }

        await WriteAsync(context, await boxes.ListAsync(labels, context.RequestAborted), DataPlaneJson.Default.SandboxesAnswer);
    }

    private static async Task InspectAsync(HttpContext context, ServedBoxes boxes)
    {
        if (await boxes.InspectAsync(IdOf(context), context.RequestAborted) is { } found) await WriteAsync(context, found, DataPlaneJson.Default.SandboxAnswer);
        else await context.WriteProblemAsync(StatusCodes.Status404NotFound, DataPlaneProblem.NotFound, "There is no such box.", node: boxes.Node);
    }

    private static async Task DestroyAsync(HttpContext context, ServedBoxes boxes)
    {
        if (context.Request.Query["keepData"] is not [("true" or "false") and var keep])
            throw new PortException(PortFailureKind.Rejected, "keepData=true or keepData=false must be said.");
        await boxes.DestroyAsync(IdOf(context), keep == "true", context.RequestAborted);
        context.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    private static async Task HealthAsync(HttpContext context, ServedBoxes boxes)
    {
        var health = context.Features.Get<SignedBy>() is null ? new DataPlaneHealth("ok", null, null, null, null) : await boxes.HealthAsync(context.RequestAborted);
        await WriteAsync(context, health, DataPlaneJson.Default.DataPlaneHealth);
    }

    private static Task UnsupportedAsync(HttpContext context, ServedBoxes boxes) => context.WriteProblemAsync(
        StatusCodes.Status501NotImplemented,
        DataPlaneProblem.Unsupported,
        "Boxes of this machine keep their data on its disk; it takes no snapshots and builds no images.",
        new(PortFailureKind.Rejected, DataPlaneProblem.Unsupported),
        boxes.Node);

    private static string IdOf(HttpContext context) => (string)context.Request.RouteValues["id"]!;

    private static async Task WriteAsync<T>(HttpContext context, T value, JsonTypeInfo<T> type)
    {
        context.Response.ContentType = "application/json";
        context.Response.Headers.CacheControl = "no-store";
        await JsonSerializer.SerializeAsync(context.Response.Body, value, type, context.RequestAborted);
    }
}
