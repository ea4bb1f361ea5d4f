// Some wait for a bound or a socket rather than for a core.
[assembly: Xunit.CollectionBehavior(MaxParallelThreads = 4)]
