namespace Coordinator.Starting;

/// <summary>Which program starts, as a sentence calls it, and the setting of where it listens.</summary>
internal sealed record StartingProgram(string Name, string Urls)
{
    public static StartingProgram Host { get; } = new("host", "Urls");

    public static StartingProgram SandboxHost { get; } = new("sandbox host", "SandboxHost:Urls");
}
