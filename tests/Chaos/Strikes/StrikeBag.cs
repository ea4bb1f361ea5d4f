namespace Coordinator.Tests.Chaos.Strikes;

/// <summary>Says what is struck next: at random what was struck least, so that no kind is left behind; nothing once each was struck so often. Thread safe.</summary>
internal sealed class StrikeBag(IEnumerable<StrikeKind> kinds, int most, Random random)
{
    private readonly Lock gate = new();
    private readonly Dictionary<StrikeKind, int> given = kinds.ToDictionary(kind => kind, _ => 0);

    /// <summary>True when there is nothing more to strike.</summary>
    public bool IsEmpty
    {
        get
        {
            lock (gate) return given.Values.All(count => count >= most);
        }
    }

    public StrikeKind? Take()
    {
        lock (gate)
        {
            if (given.Count == 0 || given.Values.Min() is var least && least >= most) return null;
            var rarest = given.Where(kind => kind.Value == given.Values.Min()).Select(kind => kind.Key).Order().ToList();
            var taken = rarest[random.Next(rarest.Count)];
            given[taken]++;
            return taken;
        }
    }

    /// <summary>There was nothing of that kind to strike.</summary>
    public void PutBack(StrikeKind kind)
    {
        lock (gate) given[kind]--;
    }
}
