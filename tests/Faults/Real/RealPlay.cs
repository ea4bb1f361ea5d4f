using Coordinator.Tests.Support.Network;

namespace Coordinator.Tests.Faults.Real;

/// <summary>
/// How a fault of a catalog is made on the real adapter: by the proxy before what it talks to, or by doing something to
/// that. Moment, prompt and what must hold are the fault's own; what the user sees is too, unless <see cref="Sees"/> says.
/// </summary>
/// <param name="Of">The fault's name.</param>
/// <param name="How">What is done, in words; with <paramref name="Of"/> the play's name.</param>
public sealed record RealPlay(string Of, string How)
{
    public required Func<RealOutside, ValueTask> Show { get; init; }

    /// <summary>Makes it pass, beside healing every network.</summary>
    public Action<RealOutside> Mend { get; init; } = _ => { };

    /// <summary>It lasts until it was done to the adapter so often; null: until the user has seen it.</summary>
    public int? Times { get; init; }

    /// <summary>It lasts until this is so; null: as <see cref="Times"/> says.</summary>
    public Func<RealOutside, bool>? Until { get; init; }

    /// <summary>True: the adapters wait as short as their options allow. Nothing else may be played so: a busy machine is no fault.</summary>
    public bool IsImpatient { get; init; }

    /// <summary>What the user sees where the real adapter does better than its fake, or tells another kind of failure; null: the same.</summary>
    public string? Sees { get; init; }

    /// <inheritdoc cref="Fault.OrSees"/>
    public IReadOnlyList<string>? OrSees { get; init; }

    /// <summary>For a fault beside the session: what the user does with the real adapter; null: what the fault says.</summary>
    public Func<RealOutside, ValueTask<Func<ValueTask<string>>>>? Beside { get; init; }

    /// <summary>What must hold afterwards in place of what the fault says, which looks at the fake; whoever says <see cref="Beside"/> says this too.</summary>
    public Func<RealOutside, ValueTask>? Holds { get; init; }

    /// <summary>False: nothing is done by a proxy.</summary>
    public bool IsOfNetwork { get; init; } = true;

    /// <summary>True: the database has a server of its own.</summary>
    public bool OnOwnServer { get; init; }

    /// <summary>True: artifacts are kept on a disk that may be filled.</summary>
    public bool OnSmallDisk { get; init; }

    /// <summary>Nobody listens there.</summary>
    public static RealPlay Refused(string of, Func<RealOutside, FaultProxy> at) => By(of, "refused", outside => at(outside).Refuse());

    /// <summary>What is asked arrives, and the connection is cut in place of an answer; a new one too.</summary>
    public static RealPlay CutOff(string of, Func<RealOutside, FaultProxy> at, long afterBytes = 0) => By(of, $"cut after {afterBytes} bytes", outside => at(outside).CutAfter(afterBytes, Direction.ToClient));

    /// <summary>What is asked with this text in it arrives, and the connection is cut in place of an answer.</summary>
    public static RealPlay AnswerLost(string of, Func<RealOutside, FaultProxy> at, string text) => By(of, $"answer to {text.Trim()} lost", outside => at(outside).LoseAnswerTo(text));

    /// <summary>Nothing is answered, and nobody says so.</summary>
    public static RealPlay Swallowed(string of, Func<RealOutside, FaultProxy> at) => By(of, "answers swallowed", outside => at(outside).BlackHole(Direction.ToClient)) with { IsImpatient = true };

    /// <summary>What is asked arrives twice.</summary>
    public static RealPlay Duplicate(string of, Func<RealOutside, FaultProxy> at) => By(of, "sent twice", outside => at(outside).Duplicate());

    public static RealPlay Slow(string of, Func<RealOutside, FaultProxy> at) => By(of, "slow", outside => at(outside).Delay(TimeSpan.FromMilliseconds(100)));

    /// <summary>What is answered comes a byte at a time, slower than anybody waits.</summary>
    public static RealPlay Dripped(string of, Func<RealOutside, FaultProxy> at) => By(of, "answered a byte at a time", outside => at(outside).Drip(TimeSpan.FromMilliseconds(250))) with { IsImpatient = true };

    /// <summary>A bit of each piece that is answered is flipped, in this byte. Who cannot read an answer may wait for the rest of it.</summary>
    public static RealPlay Corrupt(string of, Func<RealOutside, FaultProxy> at, Index where) => By(of, $"byte {where} corrupted", outside => at(outside).Corrupt(Direction.ToClient, where)) with { IsImpatient = true };

    public static RealPlay By(string of, string how, Action<RealOutside> show) => new(of, how)
    {
        Show = outside =>
        {
            show(outside);
            return ValueTask.CompletedTask;
        },
    };

    /// <summary>Something is done to what the adapter talks to, and no network has a part in it.</summary>
    public static RealPlay Done(string of, string how, Action<RealOutside> show) => By(of, how, show) with { IsOfNetwork = false };

    /// <summary>The database says that its disk is full.</summary>
    public static RealPlay FullDatabase(string of, string table) => Done(of, "SQLSTATE 53100", outside => outside.FillDisk(table));

    /// <summary>The database lets the host in no more. Who is the first to ask may meet a connection that the database has ended.</summary>
    public static RealPlay RefusedByDatabase(string of, string orSees = "Unavailable") => Done(of, "its right to connect is taken away", outside => outside.RefuseHost()) with { OrSees = [orSees] };

    /// <summary>The fault as it is played in this world.</summary>
    public Fault In(RealOutside outside, Fault fault) => fault with
    {
        Show = _ => Show(outside),
        Mend = _ =>
        {
            outside.Heal();
            Mend(outside);
        },
        Lasts = null,
        LastsUntil = Until is { } until ? () => until(outside) : Times is { } times ? () => outside.Shown >= times : null,
        Sees = Sees ?? fault.Sees,
        OrSees = OrSees ?? fault.OrSees,
        Beside = Beside is { } beside ? _ => beside(outside) : fault.Beside,
        Holds = Holds is { } holds ? _ => holds(outside) : Beside is null ? fault.Holds : throw new InvalidOperationException($"'{this}' does not say what must hold afterwards."),
    };

    public override string ToString() => $"{Of} ({How})";
}
