using Coordinator.Fakes;
using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Coordinator.Ports.Models;

namespace Coordinator.Tests.Conformance.ModelGateway;

public sealed class ScriptedModelGatewayTests : ModelGatewayContract
{
    private protected override IModelGatewayRig Rig { get; } = new ScriptedRig();

    private sealed class ScriptedRig : IModelGatewayRig
    {
        private readonly ScriptedModelGateway gateway = new();

        public ScriptedRig()
        {
            gateway.AddProvider("acme", ModelWire.OpenAiChat);
            gateway.AddProvider("claude", ModelWire.AnthropicMessages);
        }

        public IModelGateway Gateway => gateway;

        public OrganizationId NewOrganization() => OrganizationId.New(TimeProvider.System);

        public Task SetKeyAsync(OrganizationId organization, string provider, string key)
        {
            gateway.SetKey(organization, provider, key);
            return Task.CompletedTask;
        }

        public void Enqueue(ModelAnswer answer) => gateway.Enqueue(answer);

        public Task StopUpstreamAsync()
        {
            gateway.Faults.FailBefore();
            return Task.CompletedTask;
        }

        public Task NoneOpenAsync() => gateway.Open == 0 ? Task.CompletedTask : Task.FromException(new InvalidOperationException($"{gateway.Open} are open."));

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
