using Coordinator.Tests.Cluster;
using Xunit;

// A world waits for hosts to start, to end and to be given up more than for a core; worlds have nothing in common but the database's server.
[assembly: CollectionBehavior(MaxParallelThreads = 2)]
[assembly: TestCollectionOrderer(ClusterOrder.Name, ClusterOrder.Assembly)]
