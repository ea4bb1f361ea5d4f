using System.Reflection;
using Coordinator.Fakes;
using Coordinator.Modules.Kernel.Http;
using Coordinator.Modules.SessionAccess.Following;
using Coordinator.Ports;
using Coordinator.Ports.Session;
using Coordinator.Tests.Support;
using Xunit;

namespace Coordinator.Tests.Modules.SessionAccess;

/// <summary>A page whose events are removed between the look at where they begin and their reading.</summary>
public sealed class RemovedEventsTests
{
    private static readonly TimeSpan Age = TimeSpan.FromDays(30);
    private static readonly TenantContext Tenant = new(OrganizationId.New(TimeProvider.System), new(PrincipalKind.User, "usr_ada", "Ada"), Role.Member);
    private static readonly SessionId Session = SessionId.New(TimeProvider.System);

    private readonly ManualTime time = new();
    private readonly InMemorySessionJournal journal;
    private long version;

    public RemovedEventsTests() => journal = new(time);

    [Theory]
    [InlineData(0, false)]
    [InlineData(0, true)]
    [InlineData(3, true)]
    public async Task It_is_refused_as_a_place_that_is_gone_and_what_came_behind_is_not_shown_as_the_next(long after, bool goesOn)
    {
        await WriteAsync(4);
        var handler = new ReadEventsHandler(ReadLate.Over(journal, async () =>
        {
            time.Advance(Age + TimeSpan.FromDays(1));
            Assert.Equal(1, await journal.ExpireEventsAsync(Age, default));
            if (goesOn) await WriteAsync(1);
        }));

        var failure = await Assert.ThrowsAsync<PortException>(() => handler.Handle(new(Tenant, Session, new(1, after), null), default));

        Assert.Equal(("cursor_invalid", ProblemKind.Gone), (failure.ToProblem().Code, failure.ToProblem().Kind));
    }

    [Fact]
    public async Task One_that_begins_behind_what_was_removed_is_shown()
    {
        await WriteAsync(4);
        var handler = new ReadEventsHandler(ReadLate.Over(journal, () => WriteAsync(1)));

        var page = await handler.Handle(new(Tenant, Session, new(1, 4), null), default);

        Assert.Equal(5, page.Value.End.Seq);
    }

    private async Task WriteAsync(int events)
    {
        var lease = (await journal.OpenAsync(new(Tenant.Organization, Session), HostId.New(time), create: true, default))!;
        for (var i = 0; i < events; i++) Assert.True(await journal.AppendAsync(lease, new(version++, "{\"facts\":[],\"events\":[{}]}"u8.ToArray(), 1, time.GetUtcNow(), null, null), default));
        await journal.ReleaseAsync(lease, default);
    }

    /// <summary>A journal in which something happens before a session's events are read.</summary>
    public class ReadLate : DispatchProxy
    {
        private ISessionJournal inner = null!;
        private Func<Task> before = null!;

        public static ISessionJournal Over(ISessionJournal journal, Func<Task> before)
        {
            var proxy = Create<ISessionJournal, ReadLate>();
            ((ReadLate)(object)proxy).inner = journal;
            ((ReadLate)(object)proxy).before = before;
            return proxy;
        }

        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) => targetMethod!.Name == nameof(ISessionJournal.ReadEventsAsync)
            ? ReadAsync(() => (IAsyncEnumerable<JournalRecord>)targetMethod.Invoke(inner, args)!)
            : targetMethod.Invoke(inner, args);

        private async IAsyncEnumerable<JournalRecord> ReadAsync(Func<IAsyncEnumerable<JournalRecord>> read)
        {
            await before();
            await foreach (var record in read()) yield return record;
        }
    }
}
