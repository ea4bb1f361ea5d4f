using Coordinator.Fakes;
using Coordinator.Ports;
using Coordinator.Ports.Models;
using Coordinator.Tests.WalkingSkeleton.World;
using Xunit;

namespace Coordinator.Tests.Faults.Catalogs;

public sealed partial class ModelGatewayFaults : FaultCatalog<IModelGateway>
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
        Calling(GeneralFault.Unavailable, "It cannot be reached", world => world.Gateway.Faults.FailBefore(calls: 1), "Unavailable"),
        Calling(GeneralFault.Slow, "It is slow", world => world.Gateway.Faults.Slow(TimeSpan.FromSeconds(20), world.Time), "ok"),
        Calling(GeneralFault.LostAnswer, "Its answer is lost: the call may have cost money and is not repeated", world => world.Gateway.Faults.LoseResponses(), "Timeout"),
        Calling(GeneralFault.StaleCredential, "It refuses the key: the refusal does not repeat it", world => world.Gateway.Enqueue(ModelAnswer.KeyRefused(Key)), "401"),
        Calling(GeneralFault.Full, "It is asked too often: how long to wait is told", world => world.Gateway.Enqueue(ModelAnswer.RateLimited(TimeSpan.FromSeconds(30))), "429 after 30"),
        Calling(null, "It is overloaded", world => world.Gateway.Enqueue(ModelAnswer.Broken()), "503"),
        Calling(null, "The context is longer than the model takes: that is told as the model says it", world => world.Gateway.Enqueue(ModelAnswer.Json(400, """{"error":{"code":"context_length_exceeded"}}""")), "400"),
        Calling(GeneralFault.CorruptAnswer, "It answers what makes no sense: the call may have cost money and is not repeated", world => world.Gateway.Faults.CorruptResponses(), "Corrupt"),
        Calling(GeneralFault.Partial, "It is cut off in the middle of its answer: that is not an end", world => world.Gateway.Enqueue(ModelAnswer.Stream("data: {}\n\n") with { CutAtEnd = true }), "Unavailable"),
    ];

    public override IReadOnlyDictionary<GeneralFault, string> CannotHappen { get; } = new Dictionary<GeneralFault, string>
    {
        [GeneralFault.Duplicate] = "A call costs money: it is one HTTP exchange that nothing on our side repeats, and the gateway keeps no state.",
        [GeneralFault.ClockSkew] = "How long to wait is told in seconds, and nothing else of a call holds a time.",
    };

    private static Fault Calling(GeneralFault? general, string name, Action<Skeleton> show, string sees) => new(name, FaultMoment.Beside)
    {
        Is = general,
        Show = Fault.By(show),
        Mend = world => world.Gateway.Faults.Clear(),
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

public sealed partial class ModelCatalogFaults : FaultCatalog<IModelCatalog>
{
    public override IReadOnlyList<Fault> Faults =>
    [
        Looking(GeneralFault.Unavailable, "It is down while a box is told its model: the box asks again", world => world.Catalog.Faults.FailBefore()),
        Looking(GeneralFault.Slow, "It is slow", world => world.Catalog.Faults.Slow(TimeSpan.FromSeconds(2), world.Time)),
        Looking(GeneralFault.LostAnswer, "Its answer is lost", world => world.Catalog.Faults.LoseResponses(3)),
        Looking(GeneralFault.Duplicate, "It is asked twice", world => world.Catalog.Faults.Duplicate(3)),
        Looking(GeneralFault.CorruptAnswer, "Its answer makes no sense: the box asks again", world => world.Catalog.Faults.CorruptResponses(3)),
        Looking(GeneralFault.StaleCredential, "It refuses who asks: the box asks again", world => world.Catalog.Faults.FailBefore(PortFailureKind.Unauthorized)),
        Looking(GeneralFault.Full, "It is asked too often: the box asks again", world => world.Catalog.Faults.FailBefore(PortFailureKind.Limited)),
    ];

    public override IReadOnlyDictionary<GeneralFault, string> CannotHappen { get; } = new Dictionary<GeneralFault, string>
    {
        [GeneralFault.Partial] = "A model is in the catalog or not; one that is not can be used all the same, and its cost counts as unknown.",
        [GeneralFault.ClockSkew] = "A catalog holds no times: it is what its file says until another file is read.",
    };

    private static Fault Looking(GeneralFault general, string name, Action<Skeleton> show) => new(name, FaultMoment.FirstPrompt)
    {
        Is = general,
        Show = Fault.By(show),
        Mend = world => world.Catalog.Faults.Clear(),
        Lasts = TimeSpan.FromSeconds(20),
        Sees = "completed",
    };
}
