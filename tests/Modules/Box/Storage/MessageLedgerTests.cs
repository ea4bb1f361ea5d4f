using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Coordinator.Ports.Session;
using Coordinator.Sandbox.Bridge;
using Coordinator.Sandbox.Events;
using Coordinator.Sandbox.Storage;
using Xunit;

namespace Coordinator.Tests.Modules.Box.Storage;

public sealed class MessageLedgerTests : IDisposable
{
    private readonly TempFolder folder = new();

    public void Dispose() => folder.Dispose();

    private string File => folder["messages.jsonl"];

    [Fact]
    public void The_last_word_about_a_message_is_what_is_read_back()
    {
        var first = MessageId.New(TimeProvider.System);
        var second = MessageId.New(TimeProvider.System);
        var end = new MessageEnd(TurnOutcome.Failed, "model_error", "no key", new AgentTokens(1, 2, 3, 4, 5, 0.25m));
        Write(new(first, KnownMessageState.Accepted, null, null), new(second, KnownMessageState.Accepted, null, null), new(first, KnownMessageState.Ended, end, "s"));

        using var ledger = MessageLedger.Open(DiskFiles.Instance, File);

        Assert.Equal([new(first, KnownMessageState.Ended, end, "s"), new(second, KnownMessageState.Accepted, null, null)], ledger.Entries);
    }

    [Fact]
    public void A_line_that_a_crash_cut_off_is_dropped_and_the_next_one_is_whole()
    {
        var first = MessageId.New(TimeProvider.System);
        var second = MessageId.New(TimeProvider.System);
        Write(new LedgerEntry(first, KnownMessageState.Accepted, null, null));
        System.IO.File.AppendAllText(File, "{\"id\":\"msg_");

        Write(new LedgerEntry(second, KnownMessageState.Accepted, null, null));

        using var ledger = MessageLedger.Open(DiskFiles.Instance, File);
        Assert.Equal([first, second], ledger.Entries.Select(entry => entry.Id));
    }

    [Fact]
    public void Junk_in_the_middle_costs_its_own_line_only()
    {
        var first = MessageId.New(TimeProvider.System);
        Write(new LedgerEntry(first, KnownMessageState.Accepted, null, null));
        System.IO.File.AppendAllText(File, "\0\0\0\n");

        using var ledger = MessageLedger.Open(DiskFiles.Instance, File);

        Assert.Equal(first, Assert.Single(ledger.Entries).Id);
    }

    [Fact]
    public void A_long_ledger_is_written_anew_and_says_the_same()
    {
        var ids = Enumerable.Range(0, 400).Select(_ => MessageId.New(TimeProvider.System)).ToArray();
        Write([.. ids.SelectMany(id => new LedgerEntry[] { new(id, KnownMessageState.Accepted, null, null), new(id, KnownMessageState.Ended, MessageEnd.Cancelled, "s") })]);
        var before = new FileInfo(File).Length;

        using (var ledger = MessageLedger.Open(DiskFiles.Instance, File)) Assert.Equal(ids, ledger.Entries.Select(entry => entry.Id));

        Assert.True(new FileInfo(File).Length < before);
        using var again = MessageLedger.Open(DiskFiles.Instance, File);
        Assert.All(again.Entries, entry => Assert.Equal(KnownMessageState.Ended, entry.State));
    }

    private void Write(params LedgerEntry[] entries)
    {
        using var ledger = MessageLedger.Open(DiskFiles.Instance, File);
        foreach (var entry in entries) ledger.Write(entry);
    }
}
