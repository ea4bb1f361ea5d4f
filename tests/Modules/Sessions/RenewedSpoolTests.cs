using System.Text.Json;
using Coordinator.Ports.Session;
using Xunit;

namespace Coordinator.Tests.Modules.Sessions;

/// <summary>A box that comes back with another spool, because the session went back behind what it had acknowledged of the last.</summary>
public sealed class RenewedSpoolTests
{
    [Fact]
    public void A_box_that_renewed_its_spool_since_the_session_went_back_is_asked_again_for_what_had_not_reached_it()
    {
        var session = SessionDriver.WithPrompt();
        session.MakeReady(); // the prompt is on its way, while the box leaves to come back with another spool
        var message = session.Dispatched;
        Renew(session);

        session.Attach(session.BoxId, 1);

        Assert.DoesNotContain("message.failed", session.Types);
        Assert.Contains("went back", Last(session, "events.lost").GetProperty("data").GetProperty("reason").GetString(), StringComparison.Ordinal);
        Assert.Equal(2, session.Sent.Select(s => s.Frame).OfType<HostFrame.Prompt>().Count(prompt => prompt.Message == message));
    }

    [Fact]
    public void A_box_that_renewed_its_spool_since_the_session_went_back_and_does_not_know_what_it_had_begun_interrupts_it()
    {
        var session = SessionDriver.Running();
        Renew(session);

        session.Attach(session.BoxId, 1);

        Assert.Equal("interrupted", Last(session, "message.failed").GetProperty("data").GetProperty("code").GetString());
    }

    [Fact]
    public void A_box_that_renewed_another_spool_than_the_session_knows_is_not_believed_to_know_all_its_messages()
    {
        var session = SessionDriver.WithPrompt();
        session.MakeReady();
        Renew(session);
        session.RenewedFrom = "spool-0";

        session.Attach(session.BoxId, 1);

        Assert.Equal("interrupted", Last(session, "message.failed").GetProperty("data").GetProperty("code").GetString());
    }

    /// <summary>The box's next hello is with another spool.</summary>
    private static void Renew(SessionDriver session)
    {
        session.Detach();
        (session.RenewedFrom, session.Spool, session.N) = (session.Spool, "spool-2", 0);
    }

    private static JsonElement Last(SessionDriver session, string type) => session.Shown.Last(e => e.GetProperty("type").GetString() == type);
}
