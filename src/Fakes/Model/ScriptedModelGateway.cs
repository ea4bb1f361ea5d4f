using System.Collections.Concurrent;
using System.Globalization;
using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Coordinator.Ports.Models;

namespace Coordinator.Fakes;

/// <summary>
/// A gateway without a network: its providers and their keys are set by a test, and each call takes the next answer of
/// the script. Like the real one it never lets a key out, not even when an upstream repeats it.
/// </summary>
public sealed class ScriptedModelGateway : IModelGateway
{
    private readonly ConcurrentDictionary<string, Provider> providers = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<(OrganizationId Organization, string Provider), string> keys = new();
    private readonly ConcurrentQueue<ModelAnswer> script = new();
    private readonly ConcurrentQueue<ModelRequest> calls = new();
    private int open;

    /// <summary>Faults of every method.</summary>
    public FaultSwitch Faults { get; } = new();

    /// <summary>What was sent, in order.</summary>
    public IReadOnlyList<ModelRequest> Calls => [.. calls];

    /// <summary>Answers that have not been disposed: each costs money.</summary>
    public int Open => Volatile.Read(ref open);

    /// <summary>What is answered when the script is empty.</summary>
    public Func<ModelRequest, ModelAnswer> Otherwise { get; set; } = _ => ModelAnswer.Json(200, """{"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":1}}""");

    /// <summary>Adds a provider; without <paramref name="needsKey"/> everybody can call it.</summary>
    public void AddProvider(string name, ModelWire wire, bool needsKey = true, bool isDemo = false) => providers[name] = new(wire, needsKey, isDemo);

    public void SetKey(OrganizationId organization, string provider, string key) => keys[(organization, provider)] = key;

    /// <summary>The next call is answered so.</summary>
    public void Enqueue(ModelAnswer answer) => script.Enqueue(answer);

    public ValueTask<Result<ModelRoute>> ResolveAsync(OrganizationId organization, string model, CancellationToken cancellationToken) =>
        Faults.Run(() => Resolve(organization, model), cancellationToken);

    public async ValueTask<Result<ModelResponse>> SendAsync(OrganizationId organization, ModelRequest request, CancellationToken cancellationToken)
    {
        ModelResponse? made = null;
        try
        {
            return await Faults.Run<Result<ModelResponse>>(() =>
            {
                var route = Resolve(organization, request.Model);
                if (!route.IsSuccess) return route.Problem;
                calls.Enqueue(request);
                return made = Respond(script.TryDequeue(out var next) ? next : Otherwise(request), keys.GetValueOrDefault((organization, route.Value.Provider)));
            }, cancellationToken);
        }
        catch (PortException) when (made is not null)
        {
            // Nobody has the answer, so nobody else ends the call.
            await made.DisposeAsync();
            throw;
        }
    }

    public ValueTask<IReadOnlyList<ModelProviderInfo>> ListProvidersAsync(OrganizationId organization, CancellationToken cancellationToken) =>
        Faults.Run<IReadOnlyList<ModelProviderInfo>>(() =>
            [.. providers.OrderBy(provider => provider.Key, StringComparer.Ordinal).Select(provider => new ModelProviderInfo(
                provider.Key, provider.Key, provider.Value.NeedsKey ? SecretOf(provider.Key) : null, !provider.Value.NeedsKey || keys.ContainsKey((organization, provider.Key)), provider.Value.IsDemo))], cancellationToken);

    private Result<ModelRoute> Resolve(OrganizationId organization, string model)
    {
        var slash = model.IndexOf('/', StringComparison.Ordinal);
        if (slash <= 0 || slash == model.Length - 1 || model.Any(char.IsWhiteSpace)) return new Problem("model_invalid", $"'{model}' is not provider/model.");
        var name = model[..slash];
        if (!providers.TryGetValue(name, out var provider)) return new Problem("model_provider_unknown", $"No provider is called '{name}'.");
        if (provider.NeedsKey && !keys.ContainsKey((organization, name))) return new Problem("model_key_missing", $"Set the secret {SecretOf(name)}.");
        return new ModelRoute(name, model[(slash + 1)..], provider.Wire, provider.IsDemo);
    }

    private ModelResponse Respond(ModelAnswer answer, string? key)
    {
        var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase) { ["Content-Type"] = answer.ContentType };
        if (answer.RetryAfter is { } wait) headers["Retry-After"] = ((int)wait.TotalSeconds).ToString(CultureInfo.InvariantCulture);
        Interlocked.Increment(ref open);
        return new(answer.Status, headers, new ScriptedBody(answer, key), new Closing(() => Interlocked.Decrement(ref open)));
    }

    private static string SecretOf(string provider) => $"models/{provider}";

    private sealed record Provider(ModelWire Wire, bool NeedsKey, bool IsDemo);

    private sealed class Closing(Action close) : IAsyncDisposable
    {
        private int closed;

        public ValueTask DisposeAsync()
        {
            if (Interlocked.Exchange(ref closed, 1) == 0) close();
            return ValueTask.CompletedTask;
        }
    }
}
