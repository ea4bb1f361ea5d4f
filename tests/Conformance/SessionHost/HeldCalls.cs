using System.Collections.Concurrent;
using System.Reflection;

namespace Coordinator.Tests.Conformance.SessionHost;

/// <summary>A port of which one method's answers are held until <see cref="Open"/>; what it does it has done by then.</summary>
public class HeldCalls<TPort, TAnswer> : DispatchProxy
    where TPort : class
{
    private readonly TaskCompletionSource opened = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ConcurrentQueue<object?> asked = new();

    internal TPort Inner { get; set; } = null!;

    internal string Method { get; set; } = string.Empty;

    internal Func<object?[], bool> Holds { get; set; } = null!;

    /// <summary>How many answers have been held.</summary>
    public int Asked => asked.Count;

    public void Open() => opened.TrySetResult();

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
    {
        var answer = targetMethod!.Invoke(Inner, args);
        return targetMethod.Name == Method && Holds(args!) ? new ValueTask<TAnswer>(HoldAsync((ValueTask<TAnswer>)answer!)) : answer;
    }

    private async Task<TAnswer> HoldAsync(ValueTask<TAnswer> answer)
    {
        var given = await answer;
        asked.Enqueue(given);
        await opened.Task;
        return given;
    }
}

internal static class HeldCalls
{
    /// <summary>The port, of which those calls of the method are held that <paramref name="holds"/> says.</summary>
    public static TPort Over<TPort, TAnswer>(TPort port, string method, Func<object?[], bool> holds, out HeldCalls<TPort, TAnswer> calls)
        where TPort : class
    {
        var proxy = DispatchProxy.Create<TPort, HeldCalls<TPort, TAnswer>>();
        calls = (HeldCalls<TPort, TAnswer>)(object)proxy;
        (calls.Inner, calls.Method, calls.Holds) = (port, method, holds);
        return proxy;
    }
}
