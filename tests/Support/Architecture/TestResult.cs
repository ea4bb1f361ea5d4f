namespace Coordinator.Tests.Support.Architecture;

/// <summary>A type that breaks a rule, and how.</summary>
public sealed record Offence(string Type, string Why)
{
    public override string ToString() => $"{Type} {Why}";
}

/// <summary>What became of a rule.</summary>
public sealed record TestResult(IReadOnlyList<Offence> Offences)
{
    internal static TestResult OfNothing { get; } = new([new("(no type)", "was found that the rule is about, so nothing was shown")]);

    /// <summary>No type was found that the rule is about.</summary>
    public bool WasAboutNothing => ReferenceEquals(this, OfNothing);

    public bool IsSuccessful => Offences.Count == 0;

    public IEnumerable<string> FailingTypeNames => Offences.Select(offence => offence.Type);

    /// <summary>Both rules together.</summary>
    public TestResult And(TestResult other) => new([.. Offences, .. other.Offences]);

    public override string ToString() => IsSuccessful ? "the rule holds" : string.Join('\n', Offences);
}
