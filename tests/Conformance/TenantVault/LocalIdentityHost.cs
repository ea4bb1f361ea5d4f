using System.Security.Cryptography;
using Coordinator.Adapters.LocalIdentity;
using Coordinator.Ports;
using Coordinator.Ports.Identity;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Coordinator.Tests.Conformance.TenantVault;

/// <summary>Local identity as a host has it: by its registration, under configured master keys.</summary>
internal static class LocalIdentityHost
{
    public static string NewKey() => Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));

    /// <summary>The present key first.</summary>
    public static IServiceProvider WithKeys(params string[] keys) => With(
    [
        new("Vault:MasterKey", keys[0]),
        .. keys.Skip(1).Select((key, index) => KeyValuePair.Create($"Vault:PreviousMasterKeys:{index}", (string?)key)),
    ]);

    public static IServiceProvider WithKeyFile(string path) => With([new("Vault:KeyFile", path)]);

    /// <summary>A host whose start has read the key file, or made it.</summary>
    public static async Task<IServiceProvider> StartedAsync(string keyFile)
    {
        var host = WithKeyFile(keyFile);
        await host.GetRequiredService<IHostDependency>().StartAsync(default);
        return host;
    }

    public static IServiceProvider With(IEnumerable<KeyValuePair<string, string?>> settings, TimeProvider? time = null, ITenantDirectory? directory = null, ISealingKeys? sealing = null, ILoggerProvider? log = null)
    {
        var services = new ServiceCollection().AddLogging(logging =>
        {
            if (log is not null) logging.AddProvider(log);
        });
        if (sealing is not null) services.AddSingleton(sealing);
        if (time is not null) services.AddSingleton(time);
        if (directory is not null) services.AddSingleton(directory);
        return services.AddLocalIdentity(new ConfigurationBuilder().AddInMemoryCollection(settings).Build()).BuildServiceProvider();
    }
}
