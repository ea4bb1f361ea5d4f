using System.Globalization;
using System.Text;
using Coordinator.Host;
using Coordinator.Tests.Support.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Xunit;

namespace Coordinator.Tests.Conformance.Documents;

public sealed class ConfigurationDocumentTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("coordinator-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Every_setting_stands_in_the_page_with_its_default_and_meaning() => GeneratedDocument.VerifyPart("docs/configuration.md", "options", Tables(OptionKeys.All()));

    [Fact]
    public void Every_setting_says_what_it_means() =>
        Assert.Empty(OptionKeys.All().SelectMany(section => section.Keys).Where(key => string.IsNullOrEmpty(key.Meaning)).Select(key => key.Key));

    [Fact]
    public void Every_setting_is_one_to_a_host_whatever_it_is_composed_of()
    {
        using var log = new CapturedLog();
        var settings = OptionKeys.All().SelectMany(section => section.Keys).Select(key => key.Key.Replace("<name>", "mine", StringComparison.Ordinal).Replace("<n>", "0", StringComparison.Ordinal))
            .Where(key => !key.StartsWith("SandboxHost:", StringComparison.Ordinal));

        var refused = Assert.IsType<AggregateException>(Record.Exception(() => CoordinatorHost.Build([.. settings.Select(key => $"--{key}="), $"--DataDirectory={folder}", "--Tenancy:Nothing="], services => services.AddSingleton<ILoggerProvider>(log))));

        Assert.All(refused.InnerExceptions, failure => Assert.DoesNotContain(" is ''; it must be", Assert.IsType<OptionsValidationException>(failure).Message, StringComparison.Ordinal)); // only texts that may not be empty are wrong
        Assert.Equal("Warning Tenancy:Nothing is no setting.", Assert.Single(log.Text.Split('\n'), line => line.Contains("is no setting", StringComparison.Ordinal)).TrimEnd());
    }

    [Theory]
    [InlineData("Database:ConnectionString")]
    [InlineData("Database:Embedded:User")]
    [InlineData("Models:Providers:<name>:BaseUrl")]
    [InlineData("Sandbox:Egress:AllowedHosts:<n>")]
    [InlineData("Sandbox:Local:Agents:<name>")]
    [InlineData("Vault:PreviousMasterKeys:<n>")]
    public void Settings_of_every_shape_are_found(string key) => Assert.Contains(OptionKeys.All().SelectMany(section => section.Keys), found => found.Key == key);

    private static string Tables(IReadOnlyList<OptionSection> sections)
    {
        var text = new StringBuilder();
        foreach (var section in sections)
        {
            text.Append(CultureInfo.InvariantCulture, $"\n### {section.Section}\n\n{section.Meaning}\n\n| Key | Default | Meaning |\n|---|---|---|\n");
            foreach (var key in section.Keys) text.Append(CultureInfo.InvariantCulture, $"| `{key.Key}` | {key.Default} | {key.Meaning?.Replace("|", "\\|", StringComparison.Ordinal)} |\n");
        }

        return text.ToString();
    }
}
