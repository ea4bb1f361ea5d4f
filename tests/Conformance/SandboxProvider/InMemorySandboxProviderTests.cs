using Coordinator.Fakes;
using Coordinator.Ports.Compute;

namespace Coordinator.Tests.Conformance.SandboxProvider;

public sealed class InMemorySandboxProviderTests : SandboxProviderContract
{
    private protected override ISandboxRig Rig { get; } = new InMemoryRig();

    private sealed class InMemoryRig : ISandboxRig
    {
        private readonly InMemorySandboxProvider provider = new(TimeProvider.System, node: "this-machine");

        public ISandboxProvider Provider => provider;

        public ValueTask<int> StartsOfAsync(SandboxSpec spec) => new(provider.Made);

        public ValueTask EndFromInsideAsync(SandboxSpec spec, int exitCode)
        {
            provider.Die(spec.Sandbox, $"exit {exitCode}");
            return ValueTask.CompletedTask;
        }

        public ValueTask WriteAsync(SandboxSpec spec, string file, string text)
        {
            provider.Write(spec.Session, file, text);
            return ValueTask.CompletedTask;
        }

        public ValueTask<string?> ReadAsync(SandboxSpec spec, string file) => new(provider.Read(spec.Session, file));

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
