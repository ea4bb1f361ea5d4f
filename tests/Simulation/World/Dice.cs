using System.Numerics;

namespace Coordinator.Tests.Simulation.World;

/// <summary>
/// A stream of chance that depends on nothing but the seed and its own name, so that taking one thing out of a run leaves
/// the chances of all others as they were: what makes a failing run shrink well.
/// </summary>
internal sealed class Dice
{
    private ulong state;

    public Dice(long seed, int stream, int which = 0)
    {
        state = Mix((ulong)seed * 0x9E3779B97F4A7C15 + ((ulong)(uint)stream << 32) + (uint)which);
    }

    public ulong Next()
    {
        state += 0x9E3779B97F4A7C15;
        return Mix(state);
    }

    /// <summary>A number in [0, <paramref name="bound"/>).</summary>
    public int Below(int bound) => (int)(((Next() >> 32) * (ulong)bound) >> 32);

    /// <summary>True so many times in a hundred.</summary>
    public bool Percent(int chance) => Below(100) < chance;

    public T Pick<T>(IReadOnlyList<T> from) => from[Below(from.Count)];

    /// <summary>A span between the two, the short ones far more often: what networks and disks do.</summary>
    public TimeSpan Between(TimeSpan shortest, TimeSpan longest)
    {
        var r = Below(1 << 16) / (double)(1 << 16);
        return shortest + ((longest - shortest) * (r * r * r));
    }

    public double Fraction() => Below(1 << 20) / (double)(1 << 20);

    private static ulong Mix(ulong z)
    {
        z = (z ^ BitOperations.RotateLeft(z, 25) ^ BitOperations.RotateLeft(z, 50)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
