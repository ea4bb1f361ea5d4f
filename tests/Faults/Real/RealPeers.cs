using System.Collections.Concurrent;
using System.Text;
using Coordinator.Ports;
using Coordinator.Tests.Support;
using Coordinator.Tests.Support.Agents;
using Coordinator.Tests.Support.Git;
using Coordinator.Tests.Support.Http;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace Coordinator.Tests.Faults.Real;

/// <summary>What the real adapters talk to and what holds nothing of a play, started once; and the schema that each play's database is a copy of.</summary>
public sealed class RealPeers : IAsyncLifetime
{
    private readonly string template = NewName();
    private readonly ConcurrentQueue<string> notified = [];
    private LoopbackServer receiver = null!;

    public GitHttpServer Git { get; private set; } = null!;

    public ScriptedModelServer Models { get; private set; } = null!;

    public Uri Receiver => receiver.Address;

    /// <summary>The ids of the notifications that the receiver got, as often as it got them.</summary>
    public IReadOnlyList<string> Notified => [.. notified];

    public async Task InitializeAsync()
    {
        await PostgresFixture.MigrateAsync(await PostgresFixture.CreateDatabaseAsync(template));
        Git = await GitHttpServer.StartAsync();
        await Git.AddRepositoryAsync("app.git", ("main", new Dictionary<string, byte[]> { ["package.json"] = "{}"u8.ToArray(), ["large.txt"] = Encoding.ASCII.GetBytes(new string('x', 4096)) }));
        Models = await ScriptedModelServer.StartAsync();
        receiver = await LoopbackServer.StartAsync(app => app.Run(TakeAsync));
    }

    public async Task DisposeAsync()
    {
        await receiver.DisposeAsync();
        await Models.DisposeAsync();
        await Git.DisposeAsync();
        await PostgresFixture.DropDatabaseAsync(template);
    }

    /// <summary>A database of its own for one play; how to connect to it.</summary>
    public Task<string> NewDatabaseAsync() => PostgresFixture.CreateDatabaseAsync(NewName(), template);

    private static string NewName() => $"disrupt_{PrefixedId.NewValue(TimeProvider.System):n}";

    private Task TakeAsync(HttpContext context)
    {
        notified.Enqueue(context.Request.Headers["webhook-id"].ToString());
        return Task.CompletedTask;
    }
}
