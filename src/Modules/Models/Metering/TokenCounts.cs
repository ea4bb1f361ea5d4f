namespace Coordinator.Modules.Models.Metering;

/// <summary>
/// The tokens of one model call, each counted once: <see cref="Input"/> without what came from or went to the cache,
/// <see cref="Output"/> with the <see cref="Reasoning"/> that is a part of it.
/// </summary>
internal readonly record struct TokenCounts(long Input, long Output, long Reasoning, long CacheRead, long CacheWrite);
