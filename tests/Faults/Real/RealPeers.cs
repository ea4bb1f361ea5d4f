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
    /// <summary>So little that the app has another minted for whoever asks next.</summary>
    private static readonly TimeSpan SoonOver = TimeSpan.FromMinutes(9);

    private readonly string template = NewName();
    private LoopbackServer receiver = null!;

    public const string Repository = "app.git";
    public const string PrivateRepository = "private/app.git";
    public const string LargeRepository = "grown.git";

    public GitHttpServer Git { get; private set; } = null!;

    /// <summary>The account that the GitHub App is installed on; its repositories are not for everybody.</summary>
    public const string Account = "private";

    /// <summary>A git server over TLS, of the kind that boxes push to.</summary>
    public GitHttpServer SecureGit { get; private set; } = null!;

    /// <summary>The API of the host that <see cref="SecureGit"/> is of.</summary>
    public ScriptedGitHub GitHub { get; private set; } = null!;

    public ScriptedModelServer Models { get; private set; } = null!;

    public Uri Receiver => receiver.Address;

    /// <summary>What takes what arrives at the receiver.</summary>
    public Func<HttpContext, Task> Receive { get; set; } = _ => Task.CompletedTask;

    public async Task InitializeAsync()
    {
        await PostgresFixture.MigrateAsync(await PostgresFixture.CreateDatabaseAsync(template));
        Git = await GitHttpServer.StartAsync();
        var files = new Dictionary<string, byte[]> { ["package.json"] = "{}"u8.ToArray(), ["large.txt"] = Encoding.ASCII.GetBytes(new string('x', 4096)) };
        foreach (var name in new[] { Repository, PrivateRepository }) await Git.AddRepositoryAsync(name, ("main", files));
        await Git.AddRepositoryAsync(LargeRepository, ("main", Enumerable.Range(1, 9).ToDictionary(number => $"{number}.txt", _ => "x"u8.ToArray())));
        SecureGit = await GitHttpServer.StartSecureAsync();
        GitHub = await ScriptedGitHub.StartAsync();
        (GitHub.Now, GitHub.TokenLifetime) = (TimeProvider.System.GetUtcNow, SoonOver);
        GitHub.InstalledOn.Add(Account);
        Models = await ScriptedModelServer.StartAsync();
        receiver = await LoopbackServer.StartAsync(app => app.Run(context => Receive(context)));
    }

    public async Task DisposeAsync()
    {
        await receiver.DisposeAsync();
        await Models.DisposeAsync();
        await GitHub.DisposeAsync();
        await SecureGit.DisposeAsync();
        await Git.DisposeAsync();
        await PostgresFixture.DropDatabaseAsync(template);
    }

    /// <summary>A database of its own for one play; how to connect to it.</summary>
    public Task<string> NewDatabaseAsync() => PostgresFixture.CreateDatabaseAsync(NewName(), template);

    private static string NewName() => $"disrupt_{PrefixedId.NewValue(TimeProvider.System):n}";
}
