using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Coordinator.Ports;
using Coordinator.Ports.Compute.DataPlane;
using Microsoft.Extensions.Options;

namespace Coordinator.Adapters.Modal.DataPlane;

/// <summary>The contract's calls, typed. Node names go along in the query, so that a node answers only for itself.</summary>
internal sealed class DataPlaneClient(SignedCaller caller, IOptions<ModalSandboxOptions> options)
{
    private readonly TimeSpan look = TimeSpan.FromSeconds(options.Value.LookSeconds);
    private readonly TimeSpan create = TimeSpan.FromSeconds(options.Value.CreateSeconds);
    private readonly TimeSpan destroy = TimeSpan.FromSeconds(options.Value.DestroySeconds);

    public async Task<DataPlaneHealth> HealthAsync(Uri url, CancellationToken cancellationToken)
    {
        var call = DataPlaneCall.Get("/health", look);
        var health = Read(url, call, await caller.SendAsync(url, call, cancellationToken), DataPlaneJson.Default.DataPlaneHealth);
        return health.Node is { Length: > 0 } && health.Capacity is not null ? health : throw new DataPlaneException(DataPlaneFailure.Corrupt(url, call));
    }

    public async Task<SandboxAnswer> CreateAsync(Uri url, string node, CreateSandboxBody body, CancellationToken cancellationToken)
    {
        var call = DataPlaneCall.Post($"/sandboxes?node={Uri.EscapeDataString(node)}", JsonSerializer.SerializeToUtf8Bytes(body, DataPlaneJson.Default.CreateSandboxBody), create);
        return Whole(url, call, Read(url, call, await caller.SendAsync(url, call, cancellationToken), DataPlaneJson.Default.SandboxAnswer));
    }

    public async Task<SandboxAnswer> InspectAsync(Uri url, string node, string id, CancellationToken cancellationToken)
    {
        var call = DataPlaneCall.Get($"/sandboxes/{Uri.EscapeDataString(id)}?node={Uri.EscapeDataString(node)}", look);
        return Whole(url, call, Read(url, call, await caller.SendAsync(url, call, cancellationToken), DataPlaneJson.Default.SandboxAnswer));
    }

    public async Task<SandboxesAnswer> ListAsync(Uri url, IReadOnlyDictionary<string, string> labels, CancellationToken cancellationToken)
    {
        var query = string.Join('&', labels.Select(label => $"label={Uri.EscapeDataString($"{label.Key}={label.Value}")}"));
        var call = DataPlaneCall.Get(query.Length == 0 ? "/sandboxes" : $"/sandboxes?{query}", look);
        var answer = Read(url, call, await caller.SendAsync(url, call, cancellationToken), DataPlaneJson.Default.SandboxesAnswer);
        if (answer.Items is null || string.IsNullOrEmpty(answer.Node)) throw new DataPlaneException(DataPlaneFailure.Corrupt(url, call));
        foreach (var item in answer.Items) Whole(url, call, item);
        return answer;
    }

    public async Task DestroyAsync(Uri url, string node, string id, bool keepData, CancellationToken cancellationToken)
    {
        var call = DataPlaneCall.Delete($"/sandboxes/{Uri.EscapeDataString(id)}?node={Uri.EscapeDataString(node)}&keepData={(keepData ? "true" : "false")}", destroy);
        try
        {
            await caller.SendAsync(url, call, cancellationToken);
        }
        catch (DataPlaneException e) when (e.Failed.Code == DataPlaneProblem.NotFound)
        {
            // What is not there is destroyed.
            return;
        }
    }

    private static T Read<T>(Uri url, DataPlaneCall call, DataPlaneResponse response, JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            return JsonSerializer.Deserialize(response.Body, type) ?? throw new DataPlaneException(DataPlaneFailure.Corrupt(url, call));
        }
        catch (JsonException e)
        {
            throw new DataPlaneException(DataPlaneFailure.Corrupt(url, call, e));
        }
    }

    /// <summary>A box without an id, a node or labels is no answer, however well-formed.</summary>
    private static SandboxAnswer Whole(Uri url, DataPlaneCall call, SandboxAnswer answer) =>
        answer is { Id.Length: > 0, Node.Length: > 0, Status: SandboxAnswer.Running or SandboxAnswer.Stopped, Labels: not null } ? answer : throw new DataPlaneException(DataPlaneFailure.Corrupt(url, call));
}
