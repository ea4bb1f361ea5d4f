namespace Coordinator.Cli.Journey;

/// <summary>One thing the journey proves: a sentence, and the steps that show it.</summary>
internal sealed record JourneyCheck(int Number, string Sentence, Func<JourneyRun, CancellationToken, Task> Play);

/// <summary>How a check went. <see cref="Problem"/> null: it holds.</summary>
public sealed record JourneyResult(int Number, string Sentence, TimeSpan Time, string? Problem);

/// <summary>Something came that was not expected; the message says what was, and what came.</summary>
internal sealed class JourneyException(string expected, string came) : Exception($"expected {expected}; came {came}");
