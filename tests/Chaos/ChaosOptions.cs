using System.Globalization;
using Coordinator.Tests.Chaos.Strikes;
using Coordinator.Tests.Support.Hosting;

namespace Coordinator.Tests.Chaos;

/// <summary>What is played.</summary>
/// <param name="Length">How long rounds are begun.</param>
/// <param name="Round">How long the strikes of one round go on; then everything must come to rest, and is checked.</param>
/// <param name="Kinds">What is struck.</param>
/// <param name="Strikes">How often each kind is struck at the most; then no round is begun.</param>
/// <param name="Pause">The longest pause between a recovery and the next strike.</param>
/// <param name="Naps">How often the sessions of a round sleep until their text is merged, and are struck on.</param>
/// <param name="UpgradeFrom">What each round's world begins as, where that is not the present release.</param>
internal sealed record ChaosOptions(
    TimeSpan Length, int Seed, int Sessions, int Hosts, TimeSpan Round, IReadOnlyList<StrikeKind> Kinds, int Strikes, TimeSpan Pause, int Naps, OlderRelease? UpgradeFrom = null)
{
    public const string Usage =
        """
        Kills and cuts the real thing under load, and says what it cost.

          --minutes N     how long (default 10)
          --seed S        what is struck when; printed by every run (default: by the clock)
          --sessions N    sessions at once (default 6)
          --hosts N       hosts on one PostgreSQL; 1 has its own (default 1)
          --round N       seconds of strikes before everything is checked (default 60)
          --kinds a,b     host, postgres, network, bridge, agent, sandbox, boxlink, drain; with several
                          hosts also frozen, database, sandboxhost (default: all)
          --strikes N     ends sooner, once each kind was struck N times (default: no bound)
          --pause MS      the longest pause between a recovery and the next strike (default 300)
          --naps N        how often the sessions of a round sleep for more than a minute, until hosts merge their text,
                          and are woken and struck on for another --round (default 0)
          --upgrade-from DIR
                          each round has a world of its own, which begins as the older release that publish-older.sh left in DIR:
                          what is killed or drained is started again as the present one. Wants host or drain among the kinds
        """;

    private static readonly StrikeKind[] OfStarts = [StrikeKind.Host, StrikeKind.Drain];

    /// <exception cref="FormatException">The message says what was not understood.</exception>
    /// <exception cref="FileNotFoundException">There is no release to upgrade from where it was said to be.</exception>
    public static ChaosOptions Parse(IReadOnlyList<string> arguments, TimeProvider time)
    {
        var options = new ChaosOptions(TimeSpan.FromMinutes(10), (int)(time.GetUtcNow().ToUnixTimeMilliseconds() % 1_000_000), 6, 1, TimeSpan.FromSeconds(60), [], int.MaxValue, TimeSpan.FromMilliseconds(300), 0);
        for (var i = 0; i < arguments.Count; i += 2)
        {
            var value = i + 1 < arguments.Count ? arguments[i + 1] : throw new FormatException($"{arguments[i]} wants a value.");
            options = arguments[i] switch
            {
                "--minutes" => options with { Length = TimeSpan.FromMinutes(double.Parse(value, CultureInfo.InvariantCulture)) },
                "--seed" => options with { Seed = int.Parse(value, CultureInfo.InvariantCulture) },
                "--sessions" => options with { Sessions = int.Parse(value, CultureInfo.InvariantCulture) },
                "--hosts" => options with { Hosts = int.Parse(value, CultureInfo.InvariantCulture) },
                "--round" => options with { Round = TimeSpan.FromSeconds(double.Parse(value, CultureInfo.InvariantCulture)) },
                "--kinds" => options with { Kinds = [.. value.Split(',').Select(kind => Enum.TryParse<StrikeKind>(kind, ignoreCase: true, out var known) ? known : throw new FormatException($"There is no kind '{kind}'."))] },
                "--strikes" => options with { Strikes = int.Parse(value, CultureInfo.InvariantCulture) },
                "--pause" => options with { Pause = TimeSpan.FromMilliseconds(double.Parse(value, CultureInfo.InvariantCulture)) },
                "--naps" => options with { Naps = int.Parse(value, CultureInfo.InvariantCulture) },
                "--upgrade-from" => options with { UpgradeFrom = OlderRelease.In(value) },
                _ => throw new FormatException($"There is no option {arguments[i]}."),
            };
        }

        var possible = StrikeKinds.With(options.Hosts);
        if (options.Kinds.Except(possible).ToList() is { Count: > 0 } wrong) throw new FormatException($"{string.Join(", ", wrong)} cannot be struck with one host.");
        if (options is { UpgradeFrom: not null, Kinds.Count: > 0 } && !options.Kinds.Intersect(OfStarts).Any()) throw new FormatException("Without host or drain among the kinds no host is started again, and none upgraded.");
        return options.Kinds.Count > 0 ? options : options with { Kinds = possible };
    }
}
