using Coordinator.Ports.Models;
using Xunit;

namespace Coordinator.Tests.Conformance.ModelCatalog;

/// <summary>What <see cref="IModelCatalog"/> promises, for every implementation of it.</summary>
public abstract class ModelCatalogContract
{
    private protected abstract IModelCatalog Catalog { get; }

    [Fact]
    public async Task Everything_that_is_listed_can_be_found_and_is_the_same()
    {
        var all = await Catalog.ListAsync(default);

        Assert.NotEmpty(all);
        foreach (var entry in all) Assert.Equal(entry, await Catalog.FindAsync(entry.Model, default));
    }

    [Fact]
    public async Task What_is_not_listed_is_not_found() => Assert.Null(await Catalog.FindAsync("nobody/nothing", default));

    [Fact]
    public async Task Names_are_full_and_unique_and_sizes_and_prices_make_sense()
    {
        var all = await Catalog.ListAsync(default);

        Assert.Equal(all.Count, all.Select(entry => entry.Model).Distinct(StringComparer.Ordinal).Count());
        Assert.All(all, entry =>
        {
            Assert.True(entry.Model.IndexOf('/', StringComparison.Ordinal) > 0, entry.Model);
            Assert.True(entry.ContextTokens > 0 && entry.OutputTokens > 0 && entry.OutputTokens <= entry.ContextTokens, entry.Model);
            Assert.True(entry is { InputPrice: >= 0, OutputPrice: >= 0, CacheReadPrice: >= 0, CacheWritePrice: >= 0 }, entry.Model);
        });
    }
}
