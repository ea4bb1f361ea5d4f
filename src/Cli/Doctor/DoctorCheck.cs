namespace Coordinator.Cli.Doctor;

/// <summary>One finding: what was looked at, how it is, and what to do about it.</summary>
internal sealed record Finding(string Name, Health Health, string Detail, string? Advice = null);

internal enum Health
{
    Good,
    Warning,
    Bad,
}
