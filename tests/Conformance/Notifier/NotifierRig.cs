using Coordinator.Fakes;
using Coordinator.Ports.Record;
using Coordinator.Tests.Support;

namespace Coordinator.Tests.Conformance.Notifier;

/// <summary>A notifier and somebody to notify.</summary>
internal interface INotifierRig : IAsyncDisposable
{
    ManualTime Time { get; }

    INotifier Notifier { get; }

    /// <summary>The same without any exception, so that it may reach the public internet only, where <see cref="Address"/> is not.</summary>
    INotifier Strict { get; }

    /// <summary>Where the receiver is.</summary>
    Uri Address { get; }

    /// <summary>Where another receiver is, that nobody is to notify.</summary>
    Uri Elsewhere { get; }

    /// <summary>Where nothing answers.</summary>
    Uri Unreachable { get; }

    /// <summary>What arrived anywhere, <see cref="Elsewhere"/> too.</summary>
    IReadOnlyList<ReceivedNotification> Received { get; }

    /// <summary>What the receiver answers from now on; with <paramref name="location"/>, and pointing there.</summary>
    void Answer(NotificationAnswer answer, Uri? location = null);

    /// <summary>Completes when something has arrived that is not answered.</summary>
    Task UntilSilentAsync();
}
