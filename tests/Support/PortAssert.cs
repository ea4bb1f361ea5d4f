using Coordinator.Ports;
using Xunit;

namespace Coordinator.Tests.Support;

/// <summary>Asserts how a port failed.</summary>
public static class PortAssert
{
    /// <summary>The call fails as a port failure of one kind.</summary>
    public static async Task<PortException> FailsAsync<T>(PortFailureKind kind, Func<ValueTask<T>> call)
    {
        var failure = await Assert.ThrowsAsync<PortException>(async () => await call());
        Assert.Equal(kind, failure.Kind);
        return failure;
    }

    /// <inheritdoc cref="FailsAsync{T}(PortFailureKind, Func{ValueTask{T}})"/>
    public static Task<PortException> FailsAsync(PortFailureKind kind, Func<ValueTask> call) => FailsAsync(kind, async ValueTask<bool> () =>
    {
        await call();
        return true;
    });
}
