using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Coordinator.Modules.SessionAccess.Following;
using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Coordinator.Ports.Session;
using Coordinator.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Xunit;

namespace Coordinator.Tests.Conformance.Postgres;

/// <summary>A whole host, its database and its artifacts on disk: what was archived is read as before, and is gone once it is not kept any more.</summary>
public sealed class ArchivedEventsTests(PostgresFixture postgres) : IClassFixture<PostgresFixture>
{
    private static readonly TimeSpan Age = TimeSpan.FromDays(30);

    [Fact]
    public async Task A_session_whose_events_left_the_database_reads_from_its_beginning_as_before_until_they_are_removed()
    {
        await using var host = await HostOnDatabase.StartAsync(postgres.ConnectionString, "--Sessions:ArchiveEventsAfter=30.00:00:00", "--Sessions:KeepEvents=60.00:00:00", "--Sessions:CompactAfter=00:00:00");
        await HostOnDatabase.UntilAsync(HttpStatusCode.OK, () => host.GetAsync("/health/ready"));
        await host.SignInAsync();
        var created = await HostOnDatabase.UntilAsync(HttpStatusCode.Created, () => host.CreateSessionAsync("long-ago"));
        var id = JsonDocument.Parse(created.Body).RootElement.GetProperty("id").GetString()!;
        await SayAsync(host, id, pieces: 60);
        var before = await PagesAsync(host, id);

        await SweepAsync<EventArchiving>(host, (sweep, token) => sweep.SweepAsync(Age, token));

        Assert.Equal((0L, 60L), await RecordsAsync());
        Assert.Equal(0L, await ScalarAsync<long>("SELECT count(*) FROM event_archive_pending"));
        Assert.InRange(Directory.GetFiles(host.Artifacts, "*", SearchOption.AllDirectories).Length, 2, 4);
        Assert.Equal(before, await PagesAsync(host, id));

        await SweepAsync<EventRetention>(host, (sweep, token) => sweep.SweepAsync(Age, token));

        Assert.Equal((HttpStatusCode.Gone, "cursor_invalid"), Told(await host.GetAsync($"/v1/sessions/{id}/events?after=1.1")));
        Assert.Empty(Directory.GetFiles(host.Artifacts, "*", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task A_blob_that_was_announced_and_stored_and_not_noted_is_gone_after_an_hour_by_the_databases_clock()
    {
        await using var host = await HostOnDatabase.StartAsync(postgres.ConnectionString);
        await HostOnDatabase.UntilAsync(HttpStatusCode.OK, () => host.GetAsync("/health/ready"));
        var (journal, artifacts) = (host.Services.GetRequiredService<ISessionJournal>(), host.Services.GetRequiredService<IArtifactStore>());
        foreach (var (text, minutes) in new[] { ("young", 55), ("old", 65) })
        {
            var blob = Encoding.UTF8.GetBytes(text);
            var pending = new PendingArchive(new(OrganizationId.New(TimeProvider.System), SessionId.New(TimeProvider.System)), Convert.ToHexStringLower(SHA256.HashData(blob)));
            await journal.AnnounceArchiveAsync(pending, default);
            Assert.True((await artifacts.PutAsync(pending.Key.Organization, pending.Sha256, new MemoryStream(blob), blob.Length, default)).IsSuccess);
            await using var ago = postgres.Owner.CreateCommand($"UPDATE event_archive_pending SET at = now() - interval '{minutes} minutes' WHERE sha256 = '{pending.Sha256}'");
            Assert.Equal(1, await ago.ExecuteNonQueryAsync());
        }

        await SweepAsync<ArchiveClearing>(host, (sweep, token) => sweep.SweepAsync(TimeSpan.FromHours(1), token));

        Assert.Equal("young", await File.ReadAllTextAsync(Assert.Single(Directory.GetFiles(host.Artifacts, "*", SearchOption.AllDirectories))));
        Assert.Equal(1L, await ScalarAsync<long>("SELECT count(*) FROM event_archive_pending"));
        await using var none = postgres.Owner.CreateCommand("DELETE FROM event_archive_pending");
        await none.ExecuteNonQueryAsync();
    }

    private static (HttpStatusCode, string?) Told(Answer answer) => (answer.Status, answer.Code);

    /// <summary>Every page from the beginning, as it is answered.</summary>
    private static async Task<List<string>> PagesAsync(HostOnDatabase host, string id)
    {
        var pages = new List<string>();
        for (var next = string.Empty; next is not null;)
        {
            var page = await host.GetAsync($"/v1/sessions/{id}/events?limit=25{next}");
            Assert.Equal(HttpStatusCode.OK, page.Status);
            pages.Add(page.Body);
            next = JsonDocument.Parse(page.Body).RootElement.GetProperty("nextCursor").GetString() is { } cursor ? $"&after={cursor}" : null;
        }

        return pages;
    }

    /// <summary>More than an archive takes, long ago.</summary>
    private async Task SayAsync(HostOnDatabase host, string id, int pieces)
    {
        var journal = host.Services.GetRequiredService<ISessionJournal>();
        var key = new SessionKey(new(await ScalarAsync<Guid>("SELECT org FROM session_head")), SessionId.TryParse(id, out var session) ? session : throw new FormatException(id));
        var lease = (await journal.OpenAsync(key, HostId.New(TimeProvider.System), create: false, default))!;
        for (var i = 0; i < pieces; i++)
        {
            var seq = lease.Seq + i + 1;
            var said = $$$"""{"cursor":"1.{{{seq}}}","seq":{{{seq}}},"at":"2026-01-02T03:04:05.678Z","type":"agent.text","messageId":"msg_1","data":{"part":"p{{{i}}}","offset":0,"text":"{{{new string('x', 60 * 1024)}}}"}}""";
            Assert.True(await journal.AppendAsync(lease, new(lease.Version + i, Encoding.UTF8.GetBytes($$"""{"facts":[],"events":[{{said}}]}"""), 1, TimeProvider.System.GetUtcNow(), null, null), default));
        }

        await journal.ReleaseAsync(lease, default);
        await using var old = postgres.Owner.CreateCommand("UPDATE session_head SET updated_at = now() - interval '31 days'");
        await old.ExecuteNonQueryAsync();
    }

    /// <summary>The host's own sweep, now and not in ten minutes.</summary>
    private static Task SweepAsync<TSweep>(HostOnDatabase host, Func<TSweep, CancellationToken, Task> sweep) =>
        sweep(host.Services.GetServices<IHostedService>().OfType<TSweep>().Single(), CancellationToken.None);

    /// <summary>How many long records there are, and how many without their events.</summary>
    private async Task<(long Long, long Emptied)> RecordsAsync() => (
        await ScalarAsync<long>("SELECT count(*) FROM session_record WHERE octet_length(payload) > 10000"),
        await ScalarAsync<long>("""SELECT count(*) FROM session_record WHERE payload = '{"facts":[],"events":null}'::bytea"""));

    private async Task<T> ScalarAsync<T>(string sql)
    {
        await using var command = postgres.Owner.CreateCommand(sql);
        return (T)(await command.ExecuteScalarAsync())!;
    }
}
