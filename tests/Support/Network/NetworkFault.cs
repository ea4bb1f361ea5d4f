namespace Coordinator.Tests.Support.Network;

/// <summary>Which way data goes through a <see cref="FaultProxy"/>.</summary>
public enum Direction
{
    ToServer,
    ToClient,
}

/// <summary>What a network does to a connection; set through <see cref="FaultProxy"/>.</summary>
internal abstract record NetworkFault
{
    private NetworkFault()
    {
    }

    public static NetworkFault None { get; } = new Nothing();

    public sealed record Nothing : NetworkFault;

    public sealed record Delayed(TimeSpan By, TimeProvider Time) : NetworkFault;

    public sealed record Dripped(TimeSpan Each, TimeProvider Time) : NetworkFault;

    public sealed record CutAfter(long Bytes, Direction In) : NetworkFault;

    public sealed record AnswerLost(byte[] Request) : NetworkFault;

    public sealed record BlackHole(Direction In) : NetworkFault;

    public sealed record Corrupt(Direction In, Index At) : NetworkFault;

    public sealed record Duplicated : NetworkFault
    {
        public static Duplicated Instance { get; } = new();
    }

    public sealed record Refused : NetworkFault
    {
        public static Refused Instance { get; } = new();
    }
}
