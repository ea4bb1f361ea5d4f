// What is struck is the machine's own processes: two worlds beside each other would only wait for each other.
[assembly: Xunit.CollectionBehavior(DisableTestParallelization = true)]

// Boxes are bubblewrap's.
[assembly: System.Runtime.Versioning.SupportedOSPlatform("linux")]
