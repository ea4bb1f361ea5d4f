using Xunit;
using Xunit.Abstractions;

namespace Coordinator.Tests.Journey;

/// <summary>The ten checks that <c>coordinator journey</c> plays, against a real host, a real agent and a real box.</summary>
[Collection(JourneyHost.Collection)]
public sealed class JourneyTests(JourneyHost host, ITestOutputHelper output)
{
    [Fact]
    public Task All_ten_checks_of_the_journey_hold() => host.PlayJourneyAsync(output);
}
