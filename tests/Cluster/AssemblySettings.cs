// Each test has several host processes; two such worlds beside each other would only wait for each other.
[assembly: Xunit.CollectionBehavior(DisableTestParallelization = true)]
