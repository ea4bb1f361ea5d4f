using Coordinator.Tests.Faults.Real;
using Coordinator.Tests.Support.Network;
using Microsoft.AspNetCore.Http;

namespace Coordinator.Tests.Faults.Catalogs;

public sealed partial class NotifierFaults
{
    private const string Took = "The receiver took it and its answer was lost: by the id it knows the second attempt";
    private const string InDoubt = "RetryLater, it may have arrived";
    private const string Often = "The receiver is asked too often: how long to wait is told";

    public override IReadOnlyList<RealPlay> OnReal =>
    [
        Notifying(_ => RealPlay.Refused("The receiver cannot be reached", Network) with { OrSees = [InDoubt] }), // who is quick has written before the proxy resets what it took
        Notifying(_ => RealPlay.CutOff(Took, Network) with { Sees = InDoubt }),
        Notifying(_ => RealPlay.Swallowed(Took, Network) with { Sees = InDoubt }),
        Notifying(_ => RealPlay.Slow("It is slow", Network)),
        Notifying(_ => RealPlay.Corrupt("The receiver's answer makes no sense: what it took is told again under the same id", Network, 0) with { Sees = InDoubt }),
        Notifying(_ => RealPlay.Duplicate("An attempt arrives twice: the receiver takes it once", Network)),
        Answering(Often, "answered 429", response => Say(response, 429, ("Retry-After", "90"))),
        Answering(Often, "answered 507", response => Say(response, 507)) with { Sees = "RetryLater" },
        Answering("The receiver is gone", "answered 410", response => Say(response, 410)),
        Answering("The receiver redirects to a private address: nobody goes there", "answered 302", response => Say(response, 302, ("Location", RealReceiver.Inside))),
        Notifying(_ => RealPlay.Dripped("The receiver drips its answer without end: it is given up", Network)),
        ByReceiver("The receiver's clock is an hour ahead: it refuses what looks too old", "its clock set", receiver => receiver.ClockAhead = TimeSpan.FromHours(1)),
        ByReceiver("The receiver's secret was replaced while it keeps the old one: both are signed with", "signed with both", receiver => receiver.IsRotated = true),
    ];

    public override IReadOnlyDictionary<GeneralFault, string> NotOnReal { get; } = new Dictionary<GeneralFault, string>
    {
        [GeneralFault.Unavailable] = "The adapter has nothing of its own that could be down; a receiver that is, is played.",
    };

    private static FaultProxy Network(RealOutside outside) => outside.Receiver;

    private static RealPlay Notifying(Func<RealReceiver, RealPlay> play)
    {
        var receiver = new RealReceiver();
        return play(receiver) with { Beside = receiver.PrepareAsync, Holds = receiver.HoldsAsync, Mend = _ => receiver.Mend() };
    }

    private static RealPlay ByReceiver(string of, string how, Action<RealReceiver> show) => Notifying(receiver => RealPlay.By(of, how, _ => show(receiver)) with { IsOfNetwork = false });

    private static RealPlay Answering(string of, string how, Func<HttpResponse, Task> says) => ByReceiver(of, how, receiver => receiver.Says = says);

    private static Task Say(HttpResponse response, int status, params (string Name, string Value)[] headers)
    {
        response.StatusCode = status;
        foreach (var (name, value) in headers) response.Headers[name] = value;
        return Task.CompletedTask;
    }
}
