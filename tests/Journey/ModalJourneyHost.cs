using Coordinator.Tests.Support.Hosting;
using Xunit;

namespace Coordinator.Tests.Journey;

/// <summary>The same host with one setting changed: its boxes are made by a sandbox host, over HTTP.</summary>
public sealed class ModalJourneyHost : JourneyHost
{
    public const string ModalCollection = "journey on a sandbox host";

    private SandboxHostProcess? boxes;

    public SandboxHostProcess Boxes => boxes!;

    public override async Task DisposeAsync()
    {
        try
        {
            await base.DisposeAsync();
        }
        finally
        {
            if (boxes is not null) await boxes.DisposeAsync();
        }
    }

    protected override async Task<IReadOnlyDictionary<string, string>> SettingsAsync()
    {
        boxes = await SandboxHostProcess.LaunchAsync();
        return boxes.HostSettings;
    }
}

[CollectionDefinition(ModalJourneyHost.ModalCollection)]
public sealed class ModalJourneyHostCollection : ICollectionFixture<ModalJourneyHost>;
