using System.Diagnostics;
using System.Net;
using Coordinator.Tests.Cluster.World;
using Coordinator.Tests.Support;
using Coordinator.Tests.Support.Hosting;
using Coordinator.Tests.Support.Network;
using Xunit;
using Xunit.Abstractions;

namespace Coordinator.Tests.Cluster;

/// <summary>Three hosts behind one address, a real box on a sandbox host, and the host that carries its model call hangs.</summary>
public sealed class HungModelCallTests(ITestOutputHelper output)
{
    /// <summary>The default, in seconds.</summary>
    private const int UsualTimeToLive = 10;

    /// <summary>Room for a busy machine beyond the eight seconds that a host may be silent, and the seconds that an agent lets pass before it calls again.</summary>
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(60);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_turn_whose_model_call_was_at_a_host_that_hangs_ends_on_the_others(bool answerHasBegun)
    {
        await using var provider = await StuckProvider.StartAsync(answerHasBegun);
        await using var boxes = await SandboxHostProcess.LaunchAsync();
        await using var balancer = new FaultProxy(new IPEndPoint(IPAddress.Loopback, 1));
        await using var world = await ClusterWorld.StartWithBoxesOfAsync(3, UsualTimeToLive, new Dictionary<string, string>([.. boxes.HostSettings, .. provider.HostSettings, new("Sandbox:Modal:ControlPlaneUrl", balancer.Url.GetLeftPart(UriPartial.Authority))]));
        balancer.LeadTo(world.Hosts[0].Url);
        var session = await world.ClientOf(1).CreateSessionAsync(new(StuckProvider.Model, "A call that stands still", Prompt: "Are you there?"), CancellationToken.None);
        var client = world.Watch(session.Id, 1);
        await Eventually.ComesAsync(provider.Came.ContinueWith(static _ => true, TaskScheduler.Default), "the model call");

        await world.Hosts[0].SuspendAsync();
        balancer.LeadTo(world.Hosts[2].Url);
        var began = Stopwatch.GetTimestamp();
        try
        {
            await client.UntilEndedAsync(Assert.Single(session.Messages).Id);
        }
        finally
        {
            await world.Hosts[0].ResumeAsync();
        }

        output.WriteLine($"The turn ended after {Stopwatch.GetElapsedTime(began).TotalSeconds:0.0} s.");
        Assert.True(Stopwatch.GetElapsedTime(began) < Bound, "It stood still for too long.");
        Assert.Null(client.Problem);
        Assert.Single(client.Log, e => e.Type == "message.completed");
        Assert.Equal(2, provider.Calls);
        await world.ClientOf(1).ArchiveAsync(session.Id, CancellationToken.None);
        await Eventually.HoldsAsync(() => LiveProcess.Naming(session.Id).Count == 0, "the box to be gone");
    }
}
