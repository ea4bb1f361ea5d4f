using System.Text.Json;
using System.Text.Json.Nodes;
using Coordinator.Adapters.Acp.Connection;
using Coordinator.Ports.Compute;

namespace Coordinator.Adapters.Acp;

/// <summary>
/// One running agent process and its conversation: what it can do, which conversation is open, which model is set.
/// </summary>
internal sealed class AcpAgent(AcpAgentProfile profile, AcpProcess process, AcpConnection connection, AcpOptions options) : IAsyncDisposable
{
    private const int Version = 1;

    private bool canResume;
    private bool canLoad;
    private string? modelSetting;
    private string? modelSet;

    public AcpProcess Process => process;

    public AcpConnection Connection => connection;

    public string Session { get; private set; } = "";

    /// <summary>Agrees on the protocol, offering the agent neither our files nor our terminals: it has its own.</summary>
    public async Task<AgentInfo> InitializeAsync(TimeSpan timeout, CancellationToken cancellationToken)
    {
        var answer = await connection.CallAsync(
            "initialize",
            new JsonObject
            {
                ["protocolVersion"] = Version,
                ["clientCapabilities"] = new JsonObject { ["fs"] = new JsonObject { ["readTextFile"] = false, ["writeTextFile"] = false }, ["terminal"] = false },
                ["clientInfo"] = new JsonObject { ["name"] = "coordinator", ["version"] = "1" },
            },
            timeout,
            cancellationToken);
        if (answer.Number("protocolVersion") != Version) throw new AcpCallException($"The agent speaks version {answer.Number("protocolVersion")} of the protocol, not {Version}.");
        var capabilities = answer.Member("agentCapabilities") ?? default;
        canLoad = capabilities.Flag("loadSession");
        canResume = capabilities.Member("sessionCapabilities")?.Member("resume") is not null;
        return new AgentInfo(profile.Name, answer.Member("agentInfo")?.Text("version") ?? "unknown");
    }

    /// <summary>Opens <paramref name="resumeId"/> again, or a new conversation when the agent cannot; true when it was resumed.</summary>
    public async Task<bool> OpenAsync(string? resumeId, string workspace, CancellationToken cancellationToken)
    {
        if (resumeId is not null && await TryResumeAsync(resumeId, workspace, cancellationToken) is { } resumed)
        {
            Opened(resumeId, resumed);
            return true;
        }

        var created = await connection.CallAsync("session/new", Place(workspace), options.CallTimeout, cancellationToken);
        Opened(created.Text("sessionId") ?? throw new AcpCallException("The agent opened a conversation without an id."), created);
        return false;
    }

    /// <summary>Sets the conversation's model, where the agent has a setting for it.</summary>
    public async Task ChooseAsync(AgentModel model, CancellationToken cancellationToken)
    {
        if (profile.ModelValue is null || modelSetting is null || profile.ModelValue(model) is var value && value == modelSet) return;
        await connection.CallAsync(
            "session/set_config_option",
            new JsonObject { ["sessionId"] = Session, ["configId"] = modelSetting, ["value"] = value },
            options.CallTimeout,
            cancellationToken);
        modelSet = value;
    }

    public async ValueTask DisposeAsync()
    {
        await process.DisposeAsync();
        await connection.DisposeAsync();
    }

    private async Task<JsonElement?> TryResumeAsync(string id, string workspace, CancellationToken cancellationToken)
    {
        if (!canResume && !canLoad) return null;
        try
        {
            var parameters = Place(workspace);
            parameters["sessionId"] = id;
            return await connection.CallAsync(canResume ? "session/resume" : "session/load", parameters, options.CallTimeout, cancellationToken);
        }
        catch (AcpCallException e) when (e.Error is not null)
        {
            return null; // agents answer an unknown conversation with errors of every kind
        }
    }

    private static JsonObject Place(string workspace) => new() { ["cwd"] = workspace, ["mcpServers"] = new JsonArray() };

    private void Opened(string session, JsonElement answer)
    {
        Session = session;
        var setting = answer.Items("configOptions").FirstOrDefault(option => option.Text("category") == "model");
        (modelSetting, modelSet) = (setting.Text("id"), setting.Text("currentValue"));
    }
}
