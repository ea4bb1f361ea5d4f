using Coordinator.Fakes;
using Coordinator.Ports.Models;
using Coordinator.Tests.WalkingSkeleton.World;
using Xunit;

namespace Coordinator.Tests.Faults.Catalogs;

public sealed class ModelGatewayFaults : FaultCatalog<IModelGateway>
{
    private const string Key = "sk-canary-0123456789";

    public override IReadOnlyList<Fault> Faults =>
    [
        new("It is down while a box is told its model: the box asks again", FaultMoment.FirstPrompt)
        {
            Show = Fault.By(world => world.Gateway.Faults.FailBefore()),
            Mend = world => world.Gateway.Faults.Clear(),
            Lasts = TimeSpan.FromSeconds(20),
            Sees = "completed",
        },
        Calling("It cannot be reached", world => world.Gateway.Faults.FailBefore(calls: 1), "Unavailable"),
        Calling("Its answer is lost: the call may have cost money and is not repeated", world => world.Gateway.Faults.LoseResponses(), "Timeout"),
        Calling("It refuses the key: the refusal does not repeat it", world => world.Gateway.Enqueue(ModelAnswer.KeyRefused(Key)), "401"),
        Calling("It is asked too often: how long to wait is told", world => world.Gateway.Enqueue(ModelAnswer.RateLimited(TimeSpan.FromSeconds(30))), "429 after 30"),
        Calling("It is overloaded", world => world.Gateway.Enqueue(ModelAnswer.Broken()), "503"),
        Calling("It is cut off in the middle of its answer: that is not an end", world => world.Gateway.Enqueue(ModelAnswer.Stream("data: {}\n\n") with { CutAtEnd = true }), "Unavailable"),
    ];

    private static Fault Calling(string name, Action<Skeleton> show, string sees) => new(name, FaultMoment.Beside)
    {
        Show = Fault.By(show),
        Sees = sees,
        Beside = world =>
        {
            world.Gateway.SetKey(world.Key.Organization, "acme", Key);
            return new(() => CallAsync(world));
        },
        Holds = world =>
        {
            Assert.Equal(0, world.Gateway.Open);
            return ValueTask.CompletedTask;
        },
    };

    private static async ValueTask<string> CallAsync(Skeleton world)
    {
        var request = new ModelRequest("acme/fast", "chat/completions", "{}"u8.ToArray(), new Dictionary<string, string>());
        var answer = await world.Gateway.SendAsync(world.Key.Organization, request, CancellationToken.None);
        if (!answer.IsSuccess) return answer.Problem.Code;
        await using var response = answer.Value;
        using var reader = new StreamReader(response.Body);
        Assert.DoesNotContain(Key, await reader.ReadToEndAsync(), StringComparison.Ordinal);
        var wait = response.Headers.TryGetValue("Retry-After", out var seconds) ? $" after {seconds}" : "";
        return response.Status == 200 ? "ok" : $"{response.Status}{wait}";
    }
}

public sealed class ModelCatalogFaults : FaultCatalog<IModelCatalog>
{
    public override IReadOnlyList<Fault> Faults =>
    [
        new("It is down while a box is told its model: the box asks again", FaultMoment.FirstPrompt)
        {
            Show = Fault.By(world => world.Catalog.Faults.FailBefore()),
            Mend = world => world.Catalog.Faults.Clear(),
            Lasts = TimeSpan.FromSeconds(20),
            Sees = "completed",
        },
        new("Its answer is lost", FaultMoment.FirstPrompt)
        {
            Show = Fault.By(world => world.Catalog.Faults.LoseResponses(3)),
            Mend = world => world.Catalog.Faults.Clear(),
            Lasts = TimeSpan.FromSeconds(20),
            Sees = "completed",
        },
    ];
}
