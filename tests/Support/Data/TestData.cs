using System.Globalization;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using Bogus;

namespace Coordinator.Tests.Support;

/// <summary>
/// Made-up people, names and figures. All of a run comes from one seed, which <c>test.sh</c> prints; naming it in
/// <c>COORDINATOR_TEST_SEED</c> gives every test the same data again, whichever tests run and in whatever order.
/// </summary>
public static class TestData
{
    /// <summary>Names the seed: any 32-bit number.</summary>
    public const string SeedVariable = "COORDINATOR_TEST_SEED";

    // What stores, encoders and logs trip over; some names get one of these.
    private static readonly string[] Oddities = ["\"quoted\"", "O'Brien", "✓", "名前", "🦊", "ß", "e\u0301", "<b>", "%s", "\\", "--"];

    /// <summary>The run's seed.</summary>
    public static int Seed { get; } = ReadSeed();

    /// <summary>The data of one test: the same for the same seed and name.</summary>
    public static Faker For([CallerMemberName] string test = "") => new("en") { Random = new Randomizer(SeedOf(test)) };

    /// <summary>A person's name as people really have them.</summary>
    public static string PersonName(this Faker data) => data.Random.Bool() ? data.Name.FullName() : $"{data.Name.FirstName()} {data.PickRandom(Oddities)}";

    /// <summary>An organization's name.</summary>
    public static string OrganizationName(this Faker data) => data.Random.Bool() ? data.Company.CompanyName() : $"{data.Company.CompanyName()} {data.PickRandom(Oddities)}";

    private static int ReadSeed() => Environment.GetEnvironmentVariable(SeedVariable) is { Length: > 0 } named
        ? int.Parse(named, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture)
        : RandomNumberGenerator.GetInt32(int.MaxValue);

    private static int SeedOf(string test) => BitConverter.ToInt32(SHA256.HashData(Encoding.UTF8.GetBytes($"{Seed.ToString(CultureInfo.InvariantCulture)} {test}")));
}
