using System.Text.Json.Nodes;
using Coordinator.Ports.Compute;

namespace Coordinator.Adapters.OpenCode.Launch;

/// <summary>
/// OpenCode's configuration document, handed over by environment: exactly the models a session has named, reached by
/// the box's loopback route; no plugin, no sharing, no update, no repository's own configuration.
/// </summary>
internal static class OpenCodeConfig
{
    /// <summary>The route needs no credential; the SDKs refuse to start without one.</summary>
    private const string NoKey = "none";

    /// <summary>Builds the document. The last of <paramref name="models"/> is the default model.</summary>
    public static string Build(AgentLaunch launch, IReadOnlyList<AgentModel> models, IReadOnlyList<string> instructions)
    {
        var main = OpenCodeModelName.Of(models[^1]).ToString();
        var providers = Providers(launch.ModelBaseUrl, models);
        return new JsonObject
        {
            ["model"] = main,
            ["small_model"] = main,
            ["enabled_providers"] = Strings(providers.Select(p => p.Key)),
            ["provider"] = providers,
            ["permission"] = Permissions(launch.AskPermissions),
            ["instructions"] = Strings(instructions),
            ["share"] = "disabled",
            ["autoupdate"] = false,
            ["snapshot"] = false,
            ["plugin"] = new JsonArray(),
        }.ToJsonString();
    }

    /// <summary>
    /// The last rule that matches decides. Nobody can answer OpenCode's <c>question</c> tool, so it is denied; what
    /// lies outside the workspace is denied but for /tmp, where agents keep their notes; a model that repeats one call
    /// for ever is stopped, or asked about where somebody answers.
    /// </summary>
    private static JsonObject Permissions(bool ask)
    {
        var guarded = ask ? "ask" : "allow";
        return new JsonObject
        {
            ["*"] = "allow",
            ["bash"] = guarded,
            ["edit"] = guarded,
            ["webfetch"] = guarded,
            ["websearch"] = guarded,
            ["doom_loop"] = ask ? "ask" : "deny",
            ["external_directory"] = new JsonObject { ["*"] = "deny", ["/tmp/*"] = "allow" },
            ["question"] = "deny",
        };
    }

    private static JsonObject Providers(Uri baseUrl, IReadOnlyList<AgentModel> models)
    {
        var providers = new JsonObject();
        foreach (var model in models)
        {
            var name = OpenCodeModelName.Of(model);
            if (providers[name.ProviderId] is not JsonObject provider)
            {
                provider = Provider(baseUrl, model);
                providers[name.ProviderId] = provider;
            }

            provider["models"]![name.ModelId] = Model(model);
        }

        return providers;
    }

    private static JsonObject Provider(Uri baseUrl, AgentModel model) => new()
    {
        ["npm"] = OpenCodeModelName.Package(model.Wire),
        ["name"] = model.Provider,
        ["options"] = new JsonObject
        {
            ["baseURL"] = $"{baseUrl.AbsoluteUri.TrimEnd('/')}/{Uri.EscapeDataString(model.Provider)}",
            ["apiKey"] = NoKey,
        },
        ["models"] = new JsonObject(),
    };

    private static JsonObject Model(AgentModel model) => new()
    {
        ["name"] = model.Model,
        ["tool_call"] = true,
        ["limit"] = new JsonObject { ["context"] = model.ContextTokens, ["output"] = model.OutputTokens },
    };

    private static JsonArray Strings(IEnumerable<string> values)
    {
        var array = new JsonArray();
        foreach (var value in values) array.Add((JsonNode?)JsonValue.Create(value));
        return array;
    }
}
