namespace Coordinator.Bench.Driving;

/// <summary>The program behind which a server is measured is there no more: no question will be answered, and nothing more is told.</summary>
internal sealed class AdapterEndedException(string message) : IOException(message);
