using Coordinator.Ports;

namespace Coordinator.SandboxHost.Relay;

/// <summary>How many requests each box has under way, so that one box cannot take the relay from the others.</summary>
internal sealed class RelayPlaces
{
    /// <summary>As many as the program in the box serves its tools at once, and some for itself.</summary>
    public const int PerBox = 544;

    private readonly Lock gate = new();
    private readonly Dictionary<SandboxId, int> taken = [];

    /// <summary>Null when the box has as many as it may. Disposing gives the place back.</summary>
    public IDisposable? TryTake(SandboxId box)
    {
        lock (gate)
        {
            var count = taken.GetValueOrDefault(box);
            if (count >= PerBox) return null;
            taken[box] = count + 1;
            return new Place(this, box);
        }
    }

    private void GiveBack(SandboxId box)
    {
        lock (gate)
        {
            if (--taken[box] == 0) taken.Remove(box);
        }
    }

    private sealed class Place(RelayPlaces owner, SandboxId box) : IDisposable
    {
        public void Dispose() => owner.GiveBack(box);
    }
}
