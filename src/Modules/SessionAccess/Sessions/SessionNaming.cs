using System.Text.Json;
using Coordinator.Ports;
using Coordinator.Ports.Session;

namespace Coordinator.Modules.SessionAccess.Sessions;

/// <summary>Which id a session gets that is to be made: with an idempotency key, that of the session the key made in the last day, if it did.</summary>
internal sealed class SessionNaming(ISessionJournal journal, TimeProvider time)
{
    public async Task<SessionId> ChooseAsync(TenantContext tenant, string? key, CancellationToken cancellationToken)
    {
        if (key is null) return SessionId.New(time);
        var now = time.GetUtcNow();
        var yesterdays = RequestIds.Session(tenant, key, now - TimeSpan.FromDays(1));
        return await journal.FindHeadAsync(tenant.Key(yesterdays), cancellationToken) is { } head && CreatedAt(head) > now - RequestIds.KeyKept
            ? yesterdays
            : RequestIds.Session(tenant, key, now);
    }

    private static DateTimeOffset CreatedAt(SessionHead head)
    {
        using var view = JsonDocument.Parse(head.View);
        return view.RootElement.GetProperty("createdAt").GetDateTimeOffset();
    }
}
