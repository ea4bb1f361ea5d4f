namespace Coordinator.Tests.Chaos.Strikes;

/// <summary>Says which trouble a network has next: at random of those that it was struck with least, so that each comes before any comes again.</summary>
internal sealed class TroubleBag(Random random)
{
    private readonly Dictionary<Trouble, int> struck = Enum.GetValues<Trouble>().ToDictionary(trouble => trouble, _ => 0);

    public Trouble Next()
    {
        var rarest = struck.Where(trouble => trouble.Value == struck.Values.Min()).Select(trouble => trouble.Key).Order().ToList();
        return rarest[random.Next(rarest.Count)];
    }

    /// <summary>Somebody met it.</summary>
    public void Count(Trouble trouble) => struck[trouble]++;
}
