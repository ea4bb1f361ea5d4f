using Coordinator.Adapters.InProcess.Cluster;
using Coordinator.Ports;
using Coordinator.Ports.Session;
using Coordinator.Tests.Support;
using Coordinator.Tests.Support.Http;
using Xunit;

namespace Coordinator.Tests.Conformance.SessionHost;

/// <summary>What a process that cannot become a host says of it where everybody can read it: the cluster's part of <c>/health/ready</c>.</summary>
public sealed class MembershipTests
{
    [Theory]
    [InlineData(true, "The database is away.")]
    [InlineData(false, "It failed for a reason that the log has.")]
    public async Task Health_told_everybody_what_nobody_foresaw__a_port_says_why_and_of_anything_else_only_the_log(bool isForeseen, string obstacle)
    {
        using var log = new CapturedLog();
        var registry = new RefusingRegistry(isForeseen ? new PortException(PortFailureKind.Unavailable, "The database is away.") : new InvalidOperationException("Host=db;Password=hunter2"));
        await using var members = new Membership(registry, _ => throw new NotSupportedException(), () => "", new() { Address = new("http://127.0.0.1:1/") }, new ManualTime(), new(log));
        using var patience = new CancellationTokenSource();

        var starting = members.StartAsync(patience.Token);
        await Eventually.HoldsAsync(() => members.Obstacle is not null, "An obstacle");

        Assert.Equal(obstacle, members.Obstacle);
        await Eventually.HoldsAsync(() => log.Text.Contains(registry.Failure.Message, StringComparison.Ordinal), "What the log has of it");
        await patience.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => starting);
    }

    [Fact]
    public async Task A_start_that_was_given_up_before_it_began_leaves_nothing_that_its_end_would_fail_for()
    {
        using var log = new CapturedLog();
        var members = new Membership(new RefusingRegistry(new PortException(PortFailureKind.Unavailable, "The database is away.")), _ => throw new NotSupportedException(), () => "", new() { Address = new("http://127.0.0.1:1/") }, new ManualTime(), new(log));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => members.StartAsync(new(true)));

        await members.DisposeAsync();
    }

    private sealed class RefusingRegistry(Exception failure) : IHostRegistry
    {
        public Exception Failure => failure;

        public ValueTask<IHostRegistration> RegisterAsync(HostIntroduction introduction, CancellationToken cancellationToken) => throw failure;

        public ValueTask<HostLocation?> FindAsync(SessionKey key, CancellationToken cancellationToken) => throw failure;

        public ValueTask<HostLocation> ClaimAsync(SessionKey key, IHostRegistration claimant, CancellationToken cancellationToken) => throw failure;

        public ValueTask<bool> IsAliveAsync(HostId host, CancellationToken cancellationToken) => throw failure;

        public IOpeningListener Listen(SessionKey key) => throw failure;
    }
}
