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
            return effect is SessionEffect.CreateSandbox && failure.Kind is PortFailureKind.Full ? NoRoom(failure) : FailedWith(failure);
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
        tokens.TokenFor(key, create.Sandbox, create.Generation));

    private async ValueTask<EffectOutcome> CreateAsync(SessionKey key, SessionEffect.CreateSandbox create, CancellationToken cancellationToken) =>
        await WhatLacksAsync(create.Sandbox, cancellationToken) is { } lacking
            ? new EffectOutcome.Failed(new("sandbox_capability_missing", lacking, ProblemKind.Unavailable), Retryable: false)
            : new EffectOutcome.SandboxCreated(await provider.CreateAsync(SpecOf(key, create), cancellationToken));

    private async ValueTask<string?> WhatLacksAsync(SandboxId sandbox, CancellationToken cancellationToken)
    {
        var required = options.Value.Requires;
        if (required.Count == 0) return null;
        if (provider.Capabilities is null) await AskForAnyAsync(sandbox, cancellationToken);
        var can = provider.Capabilities ?? throw new PortException(PortFailureKind.Unavailable, $"The sandbox provider '{provider.Name}' has not told yet what it can do, and {SandboxesOptions.Section}:Requires demands {string.Join(", ", required)}.");
        return RequiredCapabilities.WhatLacks(required, can, provider.Name);
    }

    /// <summary>A listing reaches everything that makes boxes, and whatever answers it also tells what it can do.</summary>
    private async ValueTask AskForAnyAsync(SandboxId sandbox, CancellationToken cancellationToken)
    {
        Dictionary<string, string> labels = new(StringComparer.Ordinal) { [SandboxLabels.Sandbox] = sandbox.ToString() };
        await using var listing = provider.ListAsync(labels, cancellationToken).GetAsyncEnumerator(cancellationToken);
        while (await listing.MoveNextAsync());
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
        // Every call to a provider may be made again, so a garbled answer is asked for again too.
        var retryable = failure.Kind is PortFailureKind.Unavailable or PortFailureKind.Timeout or PortFailureKind.Limited or PortFailureKind.Full or PortFailureKind.Corrupt;
        return new(new("sandbox_unavailable", failure.Message, ProblemKind.Unavailable, failure.RetryAfter), retryable);
    }

    [LoggerMessage(5301, LogLevel.Warning, "{Effect} of {Session} failed.")]
    private partial void LogFailed(string effect, SessionKey session, PortException failure);
}
