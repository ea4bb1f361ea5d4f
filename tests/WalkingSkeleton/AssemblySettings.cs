// The world waits until the process is at rest; a second test beside it would never let it rest.
[assembly: Xunit.CollectionBehavior(DisableTestParallelization = true)]
