namespace Coordinator.Starting;

/// <summary>The section <c>Logging</c>, which no options class holds.</summary>
internal static class LogLevelSettings
{
    private const string Logging = "Logging";
    private const string LogLevels = "LogLevel";

    /// <summary>Finds levels that there are not.</summary>
    public static void Check(ConfigurationManager configuration, WrongSettings wrong)
    {
        foreach (var level in LevelsIn(configuration.GetSection(Logging)).Where(level => !string.IsNullOrEmpty(level.Value) && !Enum.TryParse<LogLevel>(level.Value, ignoreCase: true, out _)).ToList())
            wrong.Replace(configuration, level.Path, nameof(LogLevel.Information), $"{level.Path} is '{level.Value}'; it must be one of {string.Join(", ", Enum.GetNames<LogLevel>())}.");
    }

    private static IEnumerable<IConfigurationSection> LevelsIn(IConfigurationSection logging) =>
        logging.GetChildren().Select(provider => provider.GetSection(LogLevels)).Prepend(logging.GetSection(LogLevels)).SelectMany(levels => levels.GetChildren());
}
