using Coordinator.Ports;
using Microsoft.Extensions.Configuration.Memory;
using Microsoft.Extensions.Options;

namespace Coordinator.Starting;

/// <summary>
/// What is wrong with single settings, found before there are options to validate. Each is refused here and replaced by what
/// it is without being set, so that it hides nothing else that is wrong: options are validated with the rest, and all is told at once.
/// </summary>
internal sealed class WrongSettings : IValidateOptions<WrongSettings>
{
    private readonly List<string> found = [];
    private PortException? obstacle;

    public IReadOnlyList<string> Found => found;

    public void Add(string line) => found.Add(line);

    /// <summary>Has the start end with a failure that is no setting's, once all settings are known to be right.</summary>
    public void FailWith(PortException failure) => obstacle = failure;

    /// <summary>Adds the line, and has everybody who reads the setting from now on see <paramref name="instead"/>.</summary>
    public void Replace(IConfigurationBuilder configuration, string key, string? instead, string line)
    {
        found.Add(line);
        configuration.Add(new MemoryConfigurationSource { InitialData = [new(key, instead)] });
    }

    /// <summary>Has the start refuse what was found, together with what the options' own validation finds.</summary>
    public void ToldBy(IServiceCollection services) =>
        services.AddSingleton<IValidateOptions<WrongSettings>>(this).AddOptions<WrongSettings>().ValidateOnStart();

    public ValidateOptionsResult Validate(string? name, WrongSettings options) =>
        found.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(found);

    /// <summary>Validates all settings, then looks at what else is in the way. Where the start ends with what is wrong, the log has been written by then: it may say which key was meant.</summary>
    public void Demand(WebApplication app)
    {
        try
        {
            app.Services.GetService<IStartupValidator>()?.Validate();
            if (obstacle is not null) throw obstacle;
        }
        catch
        {
            ((IDisposable)app).Dispose();
            throw;
        }
    }
}
