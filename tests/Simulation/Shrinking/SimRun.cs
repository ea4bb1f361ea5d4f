using System.Globalization;
using Coordinator.Tests.Simulation.Faults;
using Coordinator.Tests.Simulation.World;

namespace Coordinator.Tests.Simulation.Shrinking;

/// <summary>
/// Names a run for ever: by its seed alone, or, when it was made smaller or is pinned, by its seed, hosts, sessions and
/// everything that happens in it, so that it stays what it is when seeds come to mean something else. As text:
/// <c>seed</c> or <c>seed/hosts/sessions Kind(a,b)@step …</c>.
/// </summary>
internal sealed record SimRun(long Seed, int Hosts = 0, int Sessions = 0, IReadOnlyList<Happening>? Happenings = null)
{
    public WorldPlan Plan()
    {
        var plan = WorldPlan.Of(Seed);
        return Happenings is null ? plan : plan with { Sessions = Sessions, Hosts = Hosts, Happenings = Happenings };
    }

    /// <summary>The same run, spelled out.</summary>
    public SimRun InFull()
    {
        var plan = Plan();
        return new(Seed, plan.Hosts, plan.Sessions, plan.Happenings);
    }

    public static SimRun Parse(string text)
    {
        var words = text.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var sizes = words[0].Split('/').Select(number => long.Parse(number, CultureInfo.InvariantCulture)).ToArray();
        return sizes.Length == 1 ? new(sizes[0]) : new(sizes[0], (int)sizes[1], (int)sizes[2], [.. words.Skip(1).Select(Happening.Parse)]);
    }

    public override string ToString() =>
        Happenings is null ? Names.Text(Seed) : $"{Names.Text(Seed)}/{Names.Text(Hosts)}/{Names.Text(Sessions)} {string.Join(' ', Happenings)}";
}
