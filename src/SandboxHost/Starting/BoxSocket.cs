namespace Coordinator.SandboxHost.Starting;

/// <summary>The unix socket that boxes dial, and who came through it.</summary>
internal sealed record BoxSocket(string Path)
{
    public static bool IsFromBoxes(HttpContext context) => BoxConnection.Is(context, context.RequestServices.GetRequiredService<BoxSocket>().Path);
}
