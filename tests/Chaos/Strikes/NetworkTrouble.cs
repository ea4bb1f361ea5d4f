using Coordinator.Tests.Support.Network;

namespace Coordinator.Tests.Chaos.Strikes;

/// <summary>What is done to a network.</summary>
internal enum Trouble
{
    /// <summary>What is open is cut.</summary>
    Cut,

    /// <summary>What is open is cut, and nobody gets in.</summary>
    Refuse,

    /// <summary>One direction swallows everything and tells nobody.</summary>
    BlackHole,

    /// <summary>Everything is late.</summary>
    Delay,

    /// <summary>What is open is cut in the middle of something.</summary>
    CutAfter,
}

/// <summary>Has a network do badly for a while.</summary>
internal static class NetworkTrouble
{
    /// <summary>How long a network does badly at the most, where nothing else is said.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromSeconds(3);

    /// <summary>Returns when the network is well again. False when nobody met the trouble: no connection was cut, and none refused or held up.</summary>
    /// <param name="cut">Where there is enough to be cut in the middle of, and after how many bytes at the most.</param>
    public static async Task<bool> PlayAsync(FaultProxy network, Trouble trouble, (Direction In, int MostBytes) cut, Random random, Func<Task> lasts)
    {
        var before = network.Shown;
        var wereCut = Begin(network, trouble, cut, random);
        if (trouble != Trouble.Cut) await lasts();
        network.Heal();
        return wereCut > 0 || network.Shown > before;
    }

    /// <summary>How many connections it has cut at once.</summary>
    private static int Begin(FaultProxy network, Trouble trouble, (Direction In, int MostBytes) cut, Random random)
    {
        switch (trouble)
        {
            case Trouble.Cut:
                return network.Cut();
            case Trouble.Refuse:
                return network.Refuse();
            case Trouble.BlackHole:
                network.BlackHole(random.Next(2) == 0 ? Direction.ToClient : Direction.ToServer);
                return 0;
            case Trouble.Delay:
                network.Delay(TimeSpan.FromMilliseconds(random.Next(20, 300)));
                return 0;
            default:
                network.CutAfter(random.Next(0, cut.MostBytes), cut.In);
                return 0;
        }
    }
}
