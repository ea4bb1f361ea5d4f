using System.Reflection;
using Coordinator.Fakes;
using Coordinator.Tests.WalkingSkeleton.World;

namespace Coordinator.Tests.Faults;

/// <summary>The faults of a world that were set and that no call met: a play of one of them would show nothing.</summary>
internal static class UnmetFaults
{
    public static IReadOnlyList<string> Of(Skeleton world) =>
        [.. from fake in typeof(Skeleton).GetProperties()
            where fake.PropertyType.Assembly == typeof(FaultSwitch).Assembly
            let instance = fake.GetValue(world)
            where instance is not null
            from one in fake.PropertyType.GetProperties(BindingFlags.Public | BindingFlags.Instance)
            where one.PropertyType == typeof(FaultSwitch) && ((FaultSwitch)one.GetValue(instance)!).IsUnmet
            select $"{fake.Name}.{one.Name}"];
}
