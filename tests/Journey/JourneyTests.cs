using Coordinator.Cli.Journey;
using Xunit;
using Xunit.Abstractions;

namespace Coordinator.Tests.Journey;

/// <summary>The ten checks that <c>coordinator journey</c> plays, against a real host, a real agent and a real box.</summary>
[Collection(JourneyHost.Collection)]
public sealed class JourneyTests(JourneyHost host, ITestOutputHelper output)
{
    [Fact]
    public async Task All_ten_checks_of_the_journey_hold()
    {
        var results = await JourneyPlayer.PlayAsync(host.Client, new("demo/scripted", host.Sample, host, SameMachine: true), Report, CancellationToken.None);

        var problems = results.Where(result => result.Problem is not null).Select(result => $"{result.Number} {result.Sentence}: {result.Problem}").ToList();
        Assert.True(problems.Count == 0, $"{problems.Count} of {results.Count} checks do not hold:\n{string.Join('\n', problems)}");
        Assert.Equal(Enumerable.Range(1, 10), results.Select(result => result.Number));
    }

    private void Report(JourneyResult result) => output.WriteLine($"{result.Number,2} {result.Sentence}: {result.Time.TotalMilliseconds:0} ms {result.Problem}");
}
