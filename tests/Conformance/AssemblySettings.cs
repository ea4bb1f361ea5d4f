using Coordinator.Tests.Conformance;
using Xunit;

// Most of these tests wait for a process, a server or a bound rather than for a core.
[assembly: CollectionBehavior(MaxParallelThreads = 4)]
[assembly: TestCollectionOrderer(LongestFirst.Name, LongestFirst.Assembly)]
