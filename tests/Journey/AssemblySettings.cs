using Coordinator.Tests.Journey;
using Xunit;

// A turn waits for its box and its model more than for a core; hosts have nothing in common, so two of them are asked at once.
[assembly: CollectionBehavior(MaxParallelThreads = 2)]
[assembly: TestCollectionOrderer(JourneyOrder.Name, JourneyOrder.Assembly)]
