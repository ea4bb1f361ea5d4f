using Coordinator.Adapters.DirectModels;
using Coordinator.Fakes;
using Coordinator.Ports.Identity;
using Coordinator.Ports.Models;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Xunit;

namespace Coordinator.Tests.Conformance.ModelCatalog;

public sealed class BundledModelCatalogTests : ModelCatalogContract, IDisposable
{
    private readonly string file = Path.GetTempFileName();

    private protected override IModelCatalog Catalog { get; } = With().GetRequiredService<IModelCatalog>();

    [Fact]
    public async Task Every_bundled_model_is_of_a_provider_that_is_known_or_the_demo()
    {
        var providers = (await With().GetRequiredService<IModelGateway>().ListProvidersAsync(Ports.OrganizationId.New(TimeProvider.System), default)).Select(provider => provider.Name).Append("demo").ToHashSet();

        Assert.All(await Catalog.ListAsync(default), entry => Assert.Contains(entry.Model.Split('/')[0], providers));
    }

    [Fact]
    public async Task The_demo_costs_nothing() => Assert.Equal(0m, (await Catalog.FindAsync("demo/scripted", default))!.OutputPrice);

    [Fact]
    public async Task An_operators_file_adds_to_and_overrides_the_bundled_prices()
    {
        await File.WriteAllTextAsync(file, """
            { "asOf": "2026-05-01", "models": [
              { "model": "openai/gpt-5", "displayName": "Our GPT-5", "contextTokens": 10, "outputTokens": 5, "inputPrice": 0.5, "outputPrice": 1, "cacheReadPrice": 0, "cacheWritePrice": 0 },
              { "model": "ollama/llama", "displayName": "Ours", "contextTokens": 10, "outputTokens": 5, "inputPrice": 0, "outputPrice": 0, "cacheReadPrice": 0, "cacheWritePrice": 0 } ] }
            """);
        var catalog = With(file).GetRequiredService<IModelCatalog>();

        Assert.Equal("Our GPT-5", (await catalog.FindAsync("openai/gpt-5", default))!.DisplayName);
        Assert.NotNull(await catalog.FindAsync("ollama/llama", default));
        Assert.NotNull(await catalog.FindAsync("openai/gpt-5-mini", default));
    }

    [Fact]
    public async Task A_catalog_that_cannot_be_read_stops_the_start_and_is_named()
    {
        await File.WriteAllTextAsync(file, "{ not json");

        var failure = Assert.Throws<OptionsValidationException>(() => With(file).GetRequiredService<IModelCatalog>());

        Assert.Contains(file, failure.Message, StringComparison.Ordinal);
    }

    public void Dispose() => File.Delete(file);

    private static ServiceProvider With(string? catalogFile = null) => new ServiceCollection()
        .AddSingleton<ITenantDirectory, InMemoryTenantDirectory>()
        .AddSingleton<ITenantVault, InMemoryTenantVault>()
        .AddSingleton(TimeProvider.System)
        .AddDirectModels(new ConfigurationBuilder().AddInMemoryCollection([new("Models:CatalogFile", catalogFile)]).Build())
        .BuildServiceProvider();
}

public sealed class InMemoryModelCatalogTests : ModelCatalogContract
{
    private protected override IModelCatalog Catalog { get; } = new InMemoryModelCatalog(InMemoryModelCatalog.Priced("a/b"), InMemoryModelCatalog.Priced("a/c"));
}
