using Coordinator.Modules.Kernel.Contracts;
using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Coordinator.Ports.Session;
using Microsoft.Extensions.Options;

namespace Coordinator.Modules.SessionAccess.Bridge;

/// <summary>Gathers what a frame to a box needs beyond what the session said: the model's address and the conversation so far.</summary>
internal sealed class BoxBriefings(IModelAddressBook models, ConversationHistory history, IOptions<SessionAccessOptions> options)
{
    /// <summary>What an agent assumes of a model that no longer can be looked up.</summary>
    private const int FallbackContextTokens = 128_000;
    private const int FallbackOutputTokens = 8_192;

    /// <param name="expected">The address of a prompt's model, when it was looked up while the prompt was made durable.</param>
    public async ValueTask<BoxBriefing> ForAsync(SessionKey key, HostFrame frame, AgentModel? expected, CancellationToken cancellationToken) => frame switch
    {
        HostFrame.Welcome welcome => new(await AddressAsync(key.Organization, welcome.Settings.Model, cancellationToken), null, options.Value),
        HostFrame.Prompt prompt => new(
            expected ?? await AddressAsync(key.Organization, prompt.Model, cancellationToken),
            prompt.SeedHistory ? await history.BeforeAsync(key, prompt.Message, cancellationToken) : null,
            options.Value),
        _ => new(null, null, options.Value),
    };

    /// <summary>
    /// A model that cannot be used any more (its key was deleted) is still named: the box goes on, and the model route
    /// tells the turn what is missing.
    /// </summary>
    public async ValueTask<AgentModel> AddressAsync(OrganizationId organization, string model, CancellationToken cancellationToken)
    {
        var found = await models.FindAsync(organization, model, cancellationToken);
        if (found.IsSuccess) return found.Value;
        var slash = model.IndexOf('/', StringComparison.Ordinal);
        return slash > 0
            ? new(model[..slash], model[(slash + 1)..], ModelWire.OpenAiChat, FallbackContextTokens, FallbackOutputTokens)
            : new(model, model, ModelWire.OpenAiChat, FallbackContextTokens, FallbackOutputTokens);
    }
}
