using Coordinator.Tests.Conformance.Architecture.Samples;
using Coordinator.Tests.Conformance.Architecture.Samples.Forbidden;
using Coordinator.Tests.Support.Architecture;
using Xunit;

namespace Coordinator.Tests.Conformance.Architecture;

/// <summary>Where a use can hide, in code as the compiler really writes it.</summary>
public sealed class DependencyReadingTests
{
    private const string Forbidden = "Coordinator.Tests.Conformance.Architecture.Samples.Forbidden";

    [Theory]
    [InlineData(nameof(UsesInABody))]
    [InlineData(nameof(UsesInAnAsyncBody))]
    [InlineData(nameof(UsesInAClosure))]
    [InlineData(nameof(UsesInAnIterator))]
    [InlineData(nameof(UsesAsAGenericArgument))]
    [InlineData(nameof(UsesAsAConstraint<Secret>) + "`1")]
    [InlineData(nameof(UsesAsAnAttribute))]
    [InlineData(nameof(UsesInACatch))]
    [InlineData(nameof(UsesInAnArray))]
    public void A_use_is_seen_wherever_it_hides(string type)
    {
        var result = Sample(type).ShouldNot().HaveDependencyOn(Forbidden).GetResult();

        Assert.False(result.IsSuccessful);
        Assert.EndsWith(type, Assert.Single(result.FailingTypeNames), StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_not_used_is_not_seen() => Assert.True(Sample(nameof(UsesNothing)).ShouldNot().HaveDependencyOn(Forbidden).GetResult().IsSuccessful);

    [Fact]
    public void A_namespace_that_only_begins_alike_is_another() => Assert.True(Sample(nameof(UsesInABody)).ShouldNot().HaveDependencyOn(Forbidden[..^3]).GetResult().IsSuccessful);

    [Fact]
    public void What_the_compiler_made_is_not_a_type_of_its_own() =>
        Assert.DoesNotContain(Types.InAssembly(House.Tests("Conformance")).GetTypes(), type => type.FullName.Contains('<', StringComparison.Ordinal));

    private static Types Sample(string name) => Types.InAssembly(House.Tests("Conformance")).That().ResideInNamespace("Coordinator.Tests.Conformance.Architecture.Samples").And().Where(type => type.Name == name);
}
