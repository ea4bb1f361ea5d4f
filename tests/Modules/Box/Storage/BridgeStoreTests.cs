using Coordinator.Ports;
using Coordinator.Ports.Session;
using Coordinator.Sandbox.Bridge;
using Coordinator.Sandbox.Events;
using Coordinator.Sandbox.Storage;
using Xunit;

namespace Coordinator.Tests.Modules.Box.Storage;

public sealed class BridgeStoreTests : IDisposable
{
    private readonly TempFolder folder = new();

    public void Dispose() => folder.Dispose();

    /// <summary>After a full disk, events wait in memory behind those that do, while a small file is taken again.</summary>
    [Fact]
    public void An_end_that_only_memory_holds_is_not_written_down_so_that_the_next_program_does_not_take_it_for_told()
    {
        var files = new WatchedFiles();
        var message = MessageId.New(TimeProvider.System);
        var ended = new LedgerEntry(message, KnownMessageState.Ended, MessageEnd.Cancelled, "spool");
        using (var store = Open(files))
        {
            store.Remember(new(message, KnownMessageState.Accepted, null, null));
            files.IsFullForEvents = true;
            store.Append(new(1, new byte[10], Durable: false));
            files.IsFullForEvents = false;
            store.Append(new(2, new byte[10], Durable: true));

            Assert.Throws<IOException>(() => store.Remember(ended));
        }

        using (var store = Open(files))
        {
            Assert.Equal(0, store.LastN);
            Assert.Equal(KnownMessageState.Accepted, Assert.Single(store.Found).State);
            store.Append(new(1, new byte[10], Durable: true));
            store.Remember(ended);
        }

        using var last = Open(files);
        Assert.Equal(ended, Assert.Single(last.Found));
    }

    private BridgeStore Open(IBoxFiles files) =>
        new(DiskSpool.Open(files, folder["spool"], new SpoolLimits(), () => "spool"), MessageLedger.Open(files, folder["messages.jsonl"]));
}
