using System.Globalization;
using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Coordinator.Ports.Session;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Coordinator.Modules.Sandboxes.Provisioning;

/// <summary>
/// Does what sessions want of boxes: create, look, destroy. Idempotent by sandbox id, and every failure of the provider
/// is an outcome that says whether another try may help.
/// </summary>
internal sealed partial class SandboxEffects(
    ISandboxProvider provider,
    IBoxTokenScheme tokens,
    IOptions<SandboxesOptions> options,
    TimeProvider time,
    ILogger<SandboxEffects> logger) : ISessionEffectRunner
{
    public bool CanRun(SessionEffect effect) => effect is SessionEffect.CreateSandbox or SessionEffect.InspectSandbox or SessionEffect.DestroySandbox;

    public async ValueTask<EffectOutcome> RunAsync(SessionKey key, SessionEffect effect, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(options.Value.ProviderSeconds), time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        try
        {
            return effect switch
            {
                SessionEffect.CreateSandbox create => await CreateAsync(key, create, either.Token),
                SessionEffect.InspectSandbox inspect => await InspectAsync(inspect, either.Token),
                SessionEffect.DestroySandbox destroy => await DestroyAsync(key, destroy, either.Token),
                _ => throw new ArgumentException($"{effect.GetType().Name} is not work on boxes.", nameof(effect)),
            };
        }
        catch (PortException failure)
        {
            LogFailed(effect.GetType().Name, key, failure);
            return FailedWith(failure);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            var failure = new PortException(PortFailureKind.Timeout, $"The sandbox provider '{provider.Name}' did not answer within {options.Value.ProviderSeconds} seconds.", effectMayHaveHappened: true);
            LogFailed(effect.GetType().Name, key, failure);
            return FailedWith(failure);
        }
    }

    /// <summary>The spec of a session's box; the same for the same box, so that a repeated create hands out the same token.</summary>
    internal SandboxSpec SpecOf(SessionKey key, SessionEffect.CreateSandbox create) => new(
        create.Sandbox,
        create.Generation,
        key.Organization,
        key.Session,
        create.Settings.Agent,
        options.Value.Resources,
        new Dictionary<string, string>(StringComparer.Ordinal)
        {
            [SandboxLabels.Organization] = key.Organization.ToString(),
            [SandboxLabels.Session] = key.Session.ToString(),
            [SandboxLabels.Sandbox] = create.Sandbox.ToString(),
            [SandboxLabels.Generation] = create.Generation.ToString(CultureInfo.InvariantCulture),
            [SandboxLabels.Deployment] = options.Value.Deployment,
        },
        tokens.TokenFor(key, create.Sandbox, create.Generation, Convert.FromHexString(create.TokenHash ?? string.Empty)))
    {
        Node = create.Node,
        Home = create.Home,
        Requires = options.Value.Required,
    };

    /// <summary>Where there are several machines, the session first writes down on which the box is made, and only then asks for it there.</summary>
    private async ValueTask<EffectOutcome> CreateAsync(SessionKey key, SessionEffect.CreateSandbox create, CancellationToken cancellationToken)
    {
        var spec = SpecOf(key, create);
        if (spec.Node is null && await provider.PlaceAsync(spec, cancellationToken) is { } node) return new EffectOutcome.SandboxPlaced(node);
        try
        {
            return new EffectOutcome.SandboxCreated(await provider.CreateAsync(spec, cancellationToken));
        }
        catch (PortException full) when (spec.Node is not null && full is { Kind: PortFailureKind.Full, EffectMayHaveHappened: false })
        {
            LogFailed(nameof(SessionEffect.CreateSandbox), key, full);
            return await ElsewhereAsync(spec, full, cancellationToken);
        }
    }

    /// <summary>The machine says that it has no room for the box, and so has no such box: another may have.</summary>
    private async ValueTask<EffectOutcome> ElsewhereAsync(SandboxSpec spec, PortException full, CancellationToken cancellationToken)
    {
        try
        {
            return await provider.PlaceAsync(spec with { Node = null }, cancellationToken) is { } other && other != spec.Node
                ? new EffectOutcome.SandboxPlaced(other)
                : FailedWith(full) with { PlaceIsFree = true };
        }
        catch (PortException failure)
        {
            return FailedWith(failure) with { PlaceIsFree = true };
        }
    }

    private async ValueTask<EffectOutcome> InspectAsync(SessionEffect.InspectSandbox inspect, CancellationToken cancellationToken)
    {
        var seen = await provider.InspectAsync(inspect.Handle, cancellationToken);
        return new EffectOutcome.SandboxInspected(seen.Status, seen.Detail);
    }

    private async ValueTask<EffectOutcome> DestroyAsync(SessionKey key, SessionEffect.DestroySandbox destroy, CancellationToken cancellationToken)
    {
        if (destroy.Handle is { } handle) await provider.DestroyAsync(handle, destroy.KeepData, cancellationToken);

        // Without a handle the create never answered, and the box, if there is one, is found by its label. When the data
        // goes, whatever earlier boxes of the session left goes with it; never a later box, which this call may be late for.
        if (destroy.Handle is null && destroy.KeepData) await DestroyAllAsync(SandboxLabels.Sandbox, destroy.Sandbox.ToString(), destroy, cancellationToken);
        if (!destroy.KeepData) await DestroyAllAsync(SandboxLabels.Session, key.Session.ToString(), destroy, cancellationToken);
        return new EffectOutcome.Succeeded();
    }

    private async ValueTask DestroyAllAsync(string label, string value, SessionEffect.DestroySandbox destroy, CancellationToken cancellationToken)
    {
        Dictionary<string, string> labels = new(StringComparer.Ordinal) { [label] = value, [SandboxLabels.Deployment] = options.Value.Deployment };
        List<SandboxHandle> found = [];
        PortException? first = null;
        try
        {
            await foreach (var listing in provider.ListAsync(labels, cancellationToken))
                if (GenerationOf(listing) <= destroy.Generation) found.Add(listing.Handle);
        }
        catch (PortException failure)
        {
            first = failure;
        }

        foreach (var handle in found)
        {
            try
            {
                await provider.DestroyAsync(handle, destroy.KeepData, cancellationToken);
            }
            catch (PortException failure)
            {
                first ??= failure;
            }
        }

        // What could be ended is; that all is ended is said only when it is known.
        if (first is not null) throw first;
    }

    /// <summary>0, the oldest, when it cannot be read.</summary>
    private static int GenerationOf(SandboxListing listing) =>
        int.TryParse(listing.Labels.GetValueOrDefault(SandboxLabels.Generation), NumberStyles.None, CultureInfo.InvariantCulture, out var generation) ? generation : 0;

    private static EffectOutcome.Failed NoRoom(PortException failure) => new(
        new("sandbox_full", $"There is no room for another box. Archive a session that has one, or wait until an idle one is stopped, and send the message again. ({failure.Message})", ProblemKind.Unavailable, failure.RetryAfter),
        Retryable: true);

    private static EffectOutcome.Failed FailedWith(PortException failure)
    {
        if (failure.Kind is PortFailureKind.Full) return NoRoom(failure);
        if (failure.Kind is PortFailureKind.Incapable) return new(new("sandbox_capability_missing", failure.Message, ProblemKind.Unavailable), Retryable: false);

        // Every call to a provider may be made again, so a garbled answer is asked for again too.
        var retryable = failure.Kind is PortFailureKind.Unavailable or PortFailureKind.Timeout or PortFailureKind.Limited or PortFailureKind.Corrupt;
        return new(new("sandbox_unavailable", failure.Message, ProblemKind.Unavailable, failure.RetryAfter), retryable);
    }

    [LoggerMessage(5301, LogLevel.Warning, "{Effect} of {Session} failed.")]
    private partial void LogFailed(string effect, SessionKey session, PortException failure);
}
