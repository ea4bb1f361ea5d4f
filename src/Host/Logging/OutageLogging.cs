using System.Collections.Concurrent;
using Coordinator.Ports;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Coordinator.Host.Logging;

/// <summary>
/// Keeps an outage of what is behind a port from filling the log: told with the failure's message and without its stack, and as seldom as
/// <see cref="Outages"/> says; only what is lost for good is told each time. At the level Debug each is told whole. Everything else is logged as it comes.
/// </summary>
internal sealed class OutageLogging(LoggerFactory inner, TimeProvider time) : ILoggerFactory
{
    private readonly ConcurrentDictionary<string, Lazy<OutageLogger>> loggers = new(StringComparer.Ordinal);

    /// <summary>Puts it before whatever writes the log.</summary>
    public static void Add(IServiceCollection services)
    {
        services.AddSingleton<LoggerFactory>();
        services.Replace(ServiceDescriptor.Singleton<ILoggerFactory>(provider => new OutageLogging(provider.GetRequiredService<LoggerFactory>(), TimeProvider.System)));
    }

    public ILogger CreateLogger(string categoryName) => loggers.GetOrAdd(categoryName, name => new(() => new(inner.CreateLogger(name), time))).Value;

    public void AddProvider(ILoggerProvider provider) => inner.AddProvider(provider);

    public void Dispose()
    {
        foreach (var logger in loggers.Values) logger.Value.Dispose();
        inner.Dispose();
    }

    private sealed class OutageLogger(ILogger inner, TimeProvider time) : ILogger, IDisposable
    {
        private readonly Outages outages = new(inner, time);

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => inner.BeginScope(state);

        public bool IsEnabled(LogLevel logLevel) => inner.IsEnabled(logLevel);

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (logLevel < LogLevel.Information || exception is not PortException failure || !Outages.IsOf(failure))
            {
                inner.Log(logLevel, eventId, state, exception, formatter);
                return;
            }

            if (inner.IsEnabled(LogLevel.Debug)) inner.Log(LogLevel.Debug, eventId, state, exception, formatter);
            if (!inner.IsEnabled(logLevel)) return;
            var text = $"{formatter(state, null)} {failure.Message}";
            if (IsLoss(eventId) || outages.Begins(logLevel, eventId, failure.Kind, text)) inner.Log(logLevel, eventId, state, null, (_, _) => text);
        }

        public void Dispose() => outages.Dispose();

        private static bool IsLoss(EventId id) => id.Name?.StartsWith(LogEventNames.Lost, StringComparison.Ordinal) == true;
    }
}
