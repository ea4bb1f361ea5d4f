using Xunit;

// A world has one thread; fresh runs take all the cores by themselves, and what else runs would take from them.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
