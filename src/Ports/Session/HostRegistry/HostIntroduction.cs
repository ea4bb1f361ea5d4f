namespace Coordinator.Ports.Session;

/// <summary>What a process says of itself as it becomes a host.</summary>
/// <param name="Address">Where its peers reach it.</param>
/// <param name="KeyPrint">The same at two hosts that sign under the same key, and nothing by which the key is found; null: it is not compared.</param>
/// <param name="Clock">By which it dates what it says to its peers; null: it is not compared.</param>
public sealed record HostIntroduction(Uri Address, string? KeyPrint = null, TimeProvider? Clock = null);
