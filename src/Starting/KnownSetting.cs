namespace Coordinator.Starting;

/// <summary>The names that lead to a setting, one of which may be anybody's (<see cref="AnyName"/>); a list or dictionary holds more below itself.</summary>
internal sealed record KnownSetting(string[] Names, bool HoldsMore)
{
    public const string AnyName = "*";

    /// <summary>A slip in every fourth letter is still recognized as one.</summary>
    private const int LettersPerSlip = 4;

    private const int MostSlips = 3;

    public bool HasAnyName => Names.Contains(AnyName);

    public static bool IsSame(string one, string other) => one.Equals(other, StringComparison.OrdinalIgnoreCase);

    /// <summary>Whether the key is this setting, or one of those that it holds.</summary>
    public bool Is(string[] key) => (HoldsMore ? key.Length >= Names.Length : key.Length == Names.Length) && Names.Index().All(name => Fits(name.Item, key[name.Index]));

    /// <summary>Whether the setting lies below the key.</summary>
    public bool IsBelow(string[] key) => key.Length < Names.Length && key.Index().All(name => Fits(Names[name.Index], name.Item));

    /// <summary>How many letters the key is away from this setting; null when it is another.</summary>
    public int? DistanceTo(string[] key)
    {
        if (!IsSame(Names[0], key[0]) || (HoldsMore ? key.Length < Names.Length : key.Length != Names.Length)) return null;
        var sum = 0;
        for (var i = 1; i < Names.Length; i++)
        {
            if (Names[i] == AnyName) continue;
            var slips = Slips(Names[i].ToUpperInvariant(), key[i].ToUpperInvariant());
            if (slips > Math.Clamp(Names[i].Length / LettersPerSlip, 1, MostSlips)) return null;
            sum += slips;
        }

        return sum;
    }

    /// <summary>The setting as it should have been written, with the names that are anybody's as they were.</summary>
    public string Spelled(string[] key) => string.Join(':', Names.Select((name, index) => name == AnyName ? key[index] : name));

    private static bool Fits(string name, string written) => name == AnyName || IsSame(name, written);

    /// <summary>The letters that have to be put in, taken away or changed to make one of the other (Levenshtein).</summary>
    private static int Slips(string one, string other)
    {
        var before = Enumerable.Range(0, other.Length + 1).ToArray();
        foreach (var (row, letter) in one.Index())
        {
            var here = new int[other.Length + 1];
            here[0] = row + 1;
            for (var i = 1; i < here.Length; i++) here[i] = Math.Min(Math.Min(here[i - 1], before[i]) + 1, before[i - 1] + (letter == other[i - 1] ? 0 : 1));
            before = here;
        }

        return before[^1];
    }
}
