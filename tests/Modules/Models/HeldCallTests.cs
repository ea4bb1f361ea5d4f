using Coordinator.Modules.Models.Gateway;
using Coordinator.Tests.Support;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Xunit;

namespace Coordinator.Tests.Modules.Models;

public sealed class HeldCallTests
{
    private readonly ManualTime time = new();
    private readonly WantedBox.HeldCalls holds = new();
    private readonly Lifetime lifetime = new();

    [Fact]
    public async Task A_call_that_its_host_waits_for_no_longer_is_over_at_once_and_broken_off_when_nobody_reads_its_end()
    {
        await using var call = new HeldCall(Context(), holds.Take(), time);
        await holds.GiveUpAsync();

        Assert.True(call.IsGivenUp && call.Over.IsCancellationRequested);
        Assert.False(lifetime.IsAborted);
        time.Advance(TimeSpan.FromSeconds(5));
        Assert.True(lifetime.IsAborted);
    }

    [Fact]
    public async Task A_call_that_has_ended_is_not_broken_off_and_holds_nothing()
    {
        await using (new HeldCall(Context(), holds.Take(), time)) await holds.GiveUpAsync();
        time.Advance(TimeSpan.FromSeconds(5));

        Assert.False(lifetime.IsAborted);
        Assert.Equal(0, holds.Count);
    }

    private DefaultHttpContext Context()
    {
        var context = new DefaultHttpContext();
        context.Features.Set<IHttpRequestLifetimeFeature>(lifetime);
        return context;
    }

    private sealed class Lifetime : IHttpRequestLifetimeFeature
    {
        public bool IsAborted { get; private set; }

        public CancellationToken RequestAborted { get; set; }

        public void Abort() => IsAborted = true;
    }
}
