using Xunit;

namespace Coordinator.Tests.Modules.SessionAccess;

/// <summary>Tests of a server of their own, each with a caller who is a member of an organization.</summary>
public abstract class ServedTests : IAsyncLifetime
{
    private protected SessionServer Server { get; private set; } = null!;

    private protected SessionServer.Caller Ada { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        Server = await SessionServer.StartAsync();
        Ada = await Server.CallerAsync();
    }

    public async Task DisposeAsync() => await Server.DisposeAsync();
}
