using Coordinator.Fakes;
using Coordinator.Ports.Record;
using Coordinator.Tests.Support;

namespace Coordinator.Tests.Conformance.Notifier;

public sealed class InMemoryNotifierTests : NotifierContract
{
    private protected override INotifierRig Rig { get; } = new InMemoryRig();

    private sealed class InMemoryRig : INotifierRig
    {
        private readonly InMemoryNotifier notifier;
        private readonly InMemoryNotifier strict;

        public InMemoryRig()
        {
            notifier = new(Time);
            strict = new(Time);
            strict.RefusedHosts.Add(Address.Host);
            Answer(new());
            notifier.Listen(Elsewhere.Host, _ => new());
        }

        public ManualTime Time { get; } = new();

        public INotifier Notifier => notifier;

        public INotifier Strict => strict;

        public Uri Address { get; } = new("https://receiver.example/hook");

        public Uri Elsewhere { get; } = new("https://elsewhere.example/hook");

        public Uri Unreachable { get; } = new("https://silent.example/hook");

        public IReadOnlyList<ReceivedNotification> Received => [.. notifier.Received, .. strict.Received];

        public void Answer(NotificationAnswer answer, Uri? location = null) => notifier.Listen(Address.Host, _ => answer);

        public Task UntilSilentAsync() => Task.CompletedTask;

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
