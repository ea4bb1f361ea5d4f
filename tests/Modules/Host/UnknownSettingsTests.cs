using Coordinator.Host;
using Coordinator.Tests.Support.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Coordinator.Tests.Modules.Host;

/// <summary>A key that no setting has does nothing, and nobody would know: the start names each, and what may have been meant.</summary>
public sealed class UnknownSettingsTests : IDisposable
{
    private const string Value = "canary-value";

    private readonly string folder = Directory.CreateTempSubdirectory("coordinator-").FullName;

    public UnknownSettingsTests() => File.WriteAllText(Path.Combine(folder, "coordinator-box"), string.Empty);

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData("Sessions:CompactAftr", "did you mean Sessions:CompactAfter?")]
    [InlineData("Databse:MaxPoolSize", null)]
    [InlineData("Database:conectionstring", "did you mean Database:ConnectionString?")]
    [InlineData("Database:Embeded:User", "did you mean Database:Embedded:User?")]
    [InlineData("Sessions:HibernateAfter", "did you mean Sessions:Host:HibernateAfter?")]
    [InlineData("Models:Providers:acme:BaseUri", "did you mean Models:Providers:acme:BaseUrl?")]
    [InlineData("Sandbox:Provder", "did you mean Sandbox:Provider?")]
    [InlineData("Cluster:Adress", "did you mean Cluster:Address?")]
    [InlineData("Vault:MasterKey:0", "did you mean Vault:MasterKey?")]
    [InlineData("Tenancy:Something:Else", "")]
    public void A_key_that_no_setting_has_is_named_with_the_one_that_is_near(string key, string? meant)
    {
        var said = Said(Arguments($"--{key}={Value}"));

        if (meant is null) Assert.Empty(said);
        else Assert.Equal($"Warning {key} is no setting{(meant.Length > 0 ? $"; {meant}" : ".")}", Assert.Single(said));
    }

    [Fact]
    public void What_settings_hold_below_themselves_is_theirs() => Assert.Empty(Said(Arguments(
        "--Sessions:Agents:0=opencode",
        "--sessions:agents:1=other",
        "--Sandbox:Provider:0=Local",
        "--Sandbox:Local:MaxBoxes=8",
        $"--Sandbox:Local:Agents:mine={folder}/coordinator-box",
        "--Models:Providers:acme:BaseUrl=https://models.example.com",
        "--Sandbox:Modal:KeyId=k",
        "--Cluster:PeerTimeout=00:00:35",
        "--Demo:Enabled=true",
        "--Something:Else=1")));

    [Fact]
    public void They_are_named_too_where_the_settings_that_were_meant_are_missing()
    {
        using var log = new CapturedLog();

        Assert.ThrowsAny<Exception>(() => CoordinatorHost.Build(Arguments("--Sandbox:Local:BoxProgram=", $"--Sandbox:Local:BoxProgam={folder}/coordinator-box"), services => services.AddSingleton<ILoggerProvider>(log)));

        Assert.Contains("Sandbox:Local:BoxProgam is no setting; did you mean Sandbox:Local:BoxProgram?", log.Text, StringComparison.Ordinal);
    }

    private static string[] Said(string[] arguments)
    {
        using var log = new CapturedLog();
        using (var host = (IDisposable)CoordinatorHost.Build(arguments, services => services.AddSingleton<ILoggerProvider>(log)))
            Assert.DoesNotContain(Value, log.Text, StringComparison.Ordinal);
        return [.. log.Text.Split('\n').Select(line => line.TrimEnd()).Where(line => line.Contains("is no setting", StringComparison.Ordinal))];
    }

    private string[] Arguments(params string[] more) =>
    [
        $"--DataDirectory={folder}",
        $"--Sandbox:Local:SocketDirectory={folder}/run",
        $"--Sandbox:Local:BoxProgram={folder}/coordinator-box",
        "--Urls=http://127.0.0.1:0",
        .. more,
    ];
}
