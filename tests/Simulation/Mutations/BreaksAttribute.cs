using System.Reflection;

namespace Coordinator.Tests.Simulation.Mutations;

/// <summary>Which invariants are there to find a bug. One that another finds is found by accident, and does not count.</summary>
[AttributeUsage(AttributeTargets.Field)]
internal sealed class BreaksAttribute(params string[] invariants) : Attribute
{
    public IReadOnlyList<string> Invariants { get; } = invariants;

    public static IReadOnlyList<string> Of(Mutation mutation) =>
        typeof(Mutation).GetField(mutation.ToString())!.GetCustomAttribute<BreaksAttribute>()?.Invariants ?? [];
}
