namespace Coordinator.Tests.Chaos.Strikes;

/// <summary>Says which trouble a network has next: at random of those that it was struck with least, so that each comes before any comes again. Thread safe.</summary>
internal sealed class TroubleBag(Random random)
{
    private readonly Lock gate = new();
    private readonly Dictionary<Trouble, int> taken = Enum.GetValues<Trouble>().ToDictionary(trouble => trouble, _ => 0);

    public Trouble Take()
    {
        lock (gate)
        {
            var rarest = taken.Where(trouble => trouble.Value == taken.Values.Min()).Select(trouble => trouble.Key).Order().ToList();
            var next = rarest[random.Next(rarest.Count)];
            taken[next]++;
            return next;
        }
    }

    /// <summary>Nobody met it.</summary>
    public void PutBack(Trouble trouble)
    {
        lock (gate) taken[trouble]--;
    }
}
