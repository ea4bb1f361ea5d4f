// What is played on real adapters waits for them rather than for a core; it is played first, and what wants the process for itself after it.
// Without a limit the runner has no threads of its own: what works does so in the pool, where its rest can be seen.
[assembly: Xunit.CollectionBehavior(MaxParallelThreads = -1)]
