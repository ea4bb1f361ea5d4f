using System.Text.Json.Serialization;
using Coordinator.Ports;

namespace Coordinator.Host.Health;

/// <summary>Answer of <c>GET /health</c>.</summary>
public sealed record HealthReport(string Status);

/// <summary>Answer of <c>GET /health/ready</c>: <c>ready</c>, or <c>unavailable</c> when something required does not work.</summary>
public sealed record ReadinessReport(string Status, IReadOnlyList<DependencyReport> Dependencies);

/// <summary>One dependency; <see cref="Reason"/> says what is wrong and what to do.</summary>
public sealed record DependencyReport(string Name, string Description, bool Required, bool Ready, string? Reason);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(HealthReport))]
[JsonSerializable(typeof(ReadinessReport))]
internal sealed partial class HealthJson : JsonSerializerContext;

/// <summary>Asks every dependency how it is, side by side. An answer is used again for a second, because anybody may ask.</summary>
internal sealed partial class DependencyHealth(IEnumerable<IHostDependency> dependencies, TimeProvider time, ILogger<DependencyHealth> logger) : IDisposable
{
    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan CheckTimeout = TimeSpan.FromSeconds(1);

    private readonly SemaphoreSlim one = new(1, 1);
    private readonly IHostDependency[] all = [.. dependencies];
    private ReadinessReport? last;
    private long lastAt;

    public async Task<ReadinessReport> CheckAsync(CancellationToken cancellationToken)
    {
        await one.WaitAsync(cancellationToken);
        try
        {
            if (last is not null && time.GetElapsedTime(lastAt) < Fresh) return last;
            var reports = await Task.WhenAll(all.Select(CheckAsync));
            var works = reports.All(report => report.Ready || !report.Required);
            last = new(works ? "ready" : "unavailable", reports);
            lastAt = time.GetTimestamp();
            return last;
        }
        finally
        {
            one.Release();
        }
    }

    public void Dispose() => one.Dispose();

    private async Task<DependencyReport> CheckAsync(IHostDependency dependency)
    {
        using var timeout = new CancellationTokenSource(CheckTimeout, time);
        string? reason;
        try
        {
            reason = await dependency.CheckAsync(timeout.Token);
        }
        catch (OperationCanceledException) when (timeout.IsCancellationRequested)
        {
            reason = "It did not answer within a second.";
        }
        catch (PortException failure)
        {
            reason = failure.Message;
        }
        catch (Exception failure)
        {
            LogUnforeseen(failure, dependency.Name);
            reason = "Whether it works could not be found out, for a reason that nobody foresaw; the log has it."; // not the message, which may be anything, to anybody
        }

        return new(dependency.Name, dependency.Description, dependency.IsRequired, reason is null, reason);
    }

    [LoggerMessage(EventId = 12, Level = LogLevel.Error, Message = "Whether {Dependency} works could not be found out, for a reason that nobody foresaw; it is told to be not ready.")]
    private partial void LogUnforeseen(Exception failure, string dependency);
}
